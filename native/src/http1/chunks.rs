//! A chunked body, taken apart (RFC 9112 7.1). A size line is scanned octet by octet, content is stepped over by its size.

use super::chars::{is_quoted, is_token, is_value};
use super::flaw::{Flaw, Kind};
use super::reader::Limits;
use super::rules::may_trail;
use super::scan::Scan;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    ExtensionStart,
    Name,
    Value,
    Quoted,
    Escaped,
    QuoteEnd,
    SizeEnd,
    Content,
    ContentCr,
    ContentLf,
    Trailers,
}

pub struct Chunks {
    state: State,
    left: u64,
    digits: u8,
    limits: Limits,
    trailers: Scan,
    looked_at: usize,
    /// Of the names and values looked at.
    trailer_bytes: usize,
    /// The trailer section so far, when it came in pieces.
    held: Vec<u8>,
}

const BAD_SIZE: Flaw = Flaw::malformed("a chunk does not begin with its size");
const BAD_EXTENSION: Flaw = Flaw::malformed("an octet that may not be in a chunk extension");
const BAD_END: Flaw = Flaw::malformed("a chunk that CRLF does not end");
const BAD_TRAILER: Flaw = Flaw::malformed("a trailer field that frames");
const TOO_LARGE: Flaw = Flaw::new(Kind::HeadersTooLarge, "trailers");
const MAX_DIGITS: u8 = 16;

impl Chunks {
    pub fn new(limits: Limits) -> Self {
        Self {
            state: State::Size,
            left: 0,
            digits: 0,
            limits,
            trailers: Scan::of_fields(),
            looked_at: 0,
            trailer_bytes: 0,
            held: Vec::new(),
        }
    }

    /// One run: a content, the octets between two, or the trailers. How much of `data` it is, and whether the body ended.
    pub fn take(&mut self, data: &[u8], content: &mut impl FnMut(&[u8])) -> (usize, Result<bool, Flaw>) {
        match self.state {
            State::Content => {
                let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
                content(&data[..size]);
                self.left -= size as u64;
                if self.left == 0 {
                    self.state = State::ContentCr;
                }
                (size, Ok(false))
            }
            State::Trailers => self.trail(data),
            _ => self.lines(data),
        }
    }

    /// From the end of a content to the next, or to the trailers.
    fn lines(&mut self, data: &[u8]) -> (usize, Result<bool, Flaw>) {
        for (at, &octet) in data.iter().enumerate() {
            match self.line(octet) {
                Err(flaw) => return (at, Err(flaw)),
                Ok(state) => self.state = state,
            }
            if matches!(self.state, State::Content | State::Trailers) {
                return (at + 1, Ok(false));
            }
        }
        (data.len(), Ok(false))
    }

    /// An octet of a size line, or of what is behind a content.
    fn line(&mut self, octet: u8) -> Result<State, Flaw> {
        Ok(match (self.state, octet) {
            (State::Size, b'\r') if self.digits > 0 => State::SizeEnd,
            (State::Size, b';') if self.digits > 0 => State::ExtensionStart,
            (State::Size, _) => {
                let digit = (octet as char).to_digit(16).filter(|_| self.digits < MAX_DIGITS).ok_or(BAD_SIZE)?;
                self.left = self.left << 4 | u64::from(digit);
                self.digits += 1;
                State::Size
            }
            (State::ExtensionStart, b' ' | b'\r') => return Err(BAD_EXTENSION),
            (State::ExtensionStart | State::Name, b'=') => State::Value,
            (State::ExtensionStart | State::Name | State::Value | State::QuoteEnd, b';') => State::ExtensionStart,
            (State::Name | State::Value | State::QuoteEnd, b'\r') => State::SizeEnd,
            (State::ExtensionStart | State::Name, _) if is_token(octet) => State::Name,
            (State::Value, b'"') => State::Quoted,
            (State::Value, _) if is_token(octet) => State::Value,
            (State::Quoted, b'"') => State::QuoteEnd,
            (State::Quoted, b'\\') => State::Escaped,
            (State::Quoted, _) if is_quoted(octet) => State::Quoted,
            (State::Escaped, _) if is_value(octet) => State::Quoted,
            (State::SizeEnd, b'\n') => {
                self.digits = 0;
                if self.left > 0 { State::Content } else { State::Trailers }
            }
            (State::ContentCr, b'\r') => State::ContentLf,
            (State::ContentLf, b'\n') => State::Size,
            (State::SizeEnd | State::ContentCr | State::ContentLf, _) => return Err(BAD_END),
            _ => return Err(BAD_EXTENSION),
        })
    }

    /// The trailer section: read for its end, and dropped.
    fn trail(&mut self, data: &[u8]) -> (usize, Result<bool, Flaw>) {
        let mut held = std::mem::take(&mut self.held);
        let before = held.len();
        let data = self.limits.within(before, data);
        let scanned = if before == 0 {
            self.trailers.scan(data)
        } else {
            held.extend_from_slice(data);
            self.trailers.scan(&held)
        };
        let flaw = self.unsound_field(if before == 0 { data } else { &held });
        let used = self.trailers.scanned() - before;
        let ended = match (flaw, scanned) {
            (Some(flaw), _) | (None, Err(flaw)) => Err(flaw),
            (None, Ok(_)) if self.trailers.scanned() as u64 > self.limits.head_wire => Err(TOO_LARGE),
            (None, Ok(end)) => Ok(end.is_some()),
        };
        if ended == Ok(false) {
            if before == 0 {
                held.extend_from_slice(data);
            }
            self.held = held;
        }
        (used, ended)
    }

    /// What is wrong with the first of the new fields in `section` that may not be there.
    fn unsound_field(&mut self, section: &[u8]) -> Option<Flaw> {
        for (name, value) in &self.trailers.fields[self.looked_at..] {
            self.looked_at += 1;
            self.trailer_bytes += name.len() + value.len();
            if !may_trail(name.of(section)) {
                return Some(BAD_TRAILER);
            }
            if self.looked_at > self.limits.header_count || self.trailer_bytes > self.limits.header_bytes {
                return Some(TOO_LARGE);
            }
        }
        None
    }

    /// Whether the trailer section has begun, which has bounds of its own.
    pub fn in_trailers(&self) -> bool {
        self.trailers.scanned() > 0
    }
}

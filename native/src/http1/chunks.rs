//! A chunked body, taken apart (RFC 9112 7.1). A size line is scanned octet by octet, content is stepped over by its size.

use super::chars::{is_quoted, is_token, is_value};
use super::flaw::Flaw;
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
    trailers: Scan,
    looked_at: usize,
    /// The trailer section so far, when it came in pieces.
    held: Vec<u8>,
}

const BAD_SIZE: Flaw = Flaw::malformed("a chunk does not begin with its size");
const BAD_EXTENSION: Flaw = Flaw::malformed("an octet that may not be in a chunk extension");
const BAD_END: Flaw = Flaw::malformed("a chunk that CRLF does not end");
const BAD_TRAILER: Flaw = Flaw::malformed("a trailer field that frames");
const MAX_DIGITS: u8 = 16;

impl Chunks {
    pub fn new() -> Self {
        Self { state: State::Size, left: 0, digits: 0, trailers: Scan::of_fields(), looked_at: 0, held: Vec::new() }
    }

    /// How much of `data` belongs to the body, and whether it ended.
    pub fn take(&mut self, data: &[u8], content: &mut impl FnMut(&[u8])) -> Result<(usize, bool), Flaw> {
        let mut at = 0;
        while let Some(&octet) = data.get(at) {
            match self.state {
                State::Content => {
                    let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len() - at);
                    content(&data[at..at + size]);
                    self.left -= size as u64;
                    at += size;
                    if self.left == 0 {
                        self.state = State::ContentCr;
                    }
                }
                State::Trailers => {
                    let (size, ended) = self.trail(&data[at..])?;
                    return Ok((at + size, ended));
                }
                _ => {
                    self.state = self.line(octet)?;
                    at += 1;
                }
            }
        }
        Ok((data.len(), false))
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
    fn trail(&mut self, data: &[u8]) -> Result<(usize, bool), Flaw> {
        let before = self.held.len();
        let ended = if before == 0 {
            self.trailers.scan(data)?
        } else {
            self.held.extend_from_slice(data);
            self.trailers.scan(&self.held)?
        };
        let section = if before == 0 { data } else { &self.held[..] };
        let fields = &self.trailers.fields;
        if !fields[self.looked_at..].iter().all(|(name, _)| may_trail(name.of(section))) {
            return Err(BAD_TRAILER);
        }
        self.looked_at = fields.len();
        if let Some(end) = ended {
            return Ok((end - before, true));
        }
        if before == 0 {
            self.held.extend_from_slice(data);
        }
        Ok((data.len(), false))
    }

    /// Of the trailer section: its fields, their names' and values' octets, and all of its octets so far, none of those behind it.
    pub fn trailer_sizes(&self) -> (usize, usize, usize) {
        (self.trailers.fields.len(), self.trailers.field_bytes, self.trailers.scanned())
    }
}

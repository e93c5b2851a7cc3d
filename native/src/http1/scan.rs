//! A head's parts, found in one pass that can stop and go on at any octet (RFC 9112 sections 2.2, 3 and 5).
//!
//! Strict where two readers may disagree: CRLF ends each line, a name ends at its colon, nothing is folded, no octet is a control but a tab
//! in a value. Positions are counted from the head's first octet; nothing is copied.

use super::chars::{is_target, is_token, is_value, span, trimmed};
use super::flaw::{Flaw, NO_FORM, UNSERVED_VERSION};
use super::methods;
use super::target::is_form;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        // A head is refused long before it has 2^32 octets.
        Self { start: start as u32, end: end as u32 }
    }

    pub fn of(self, head: &[u8]) -> &[u8] {
        &head[self.start as usize..self.end as usize]
    }

    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Versions that a head may say and still be read to its end. Only the last two are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    Http09,
    Http20,
    Http10,
    #[default]
    Http11,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Method,
    Preface,
    BeforeTarget,
    Target,
    OldLineEnd,
    BeforeVersion,
    Version,
    LineEnd,
    Name,
    BeforeValue,
    Value,
    ValueEnd,
    HeadEnd,
}

const VERSION: &[u8] = b"HTTP/1.1";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const BAD_METHOD: Flaw = Flaw::malformed("no method that is known here");
const BAD_LINE_END: Flaw = Flaw::malformed("a line of the head that CRLF does not end");
const BAD_NAME: Flaw = Flaw::malformed("a field name that is no token");
const BAD_VALUE: Flaw = Flaw::malformed("an octet that may not be in a field");
const FOLDED: Flaw = Flaw::malformed("a field line that begins with white space");
const BAD_TARGET: Flaw = Flaw::malformed("an octet that may not be in a request target");
const BAD_VERSION: Flaw = Flaw::malformed("a request line that does not end with HTTP/ and a version");

/// One head; also the fields of a trailer section, which is a head without its first line.
#[derive(Default)]
pub struct Scan {
    state: State,
    at: usize,
    mark: usize,
    name: Span,
    pub method: usize,
    pub target: Span,
    pub version: Version,
    pub fields: Vec<(Span, Span)>,
    pub field_bytes: usize,
}

impl Scan {
    /// Of fields only; the line before them has ended.
    pub fn of_fields() -> Self {
        Self { state: State::Name, ..Self::default() }
    }

    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::default() };
    }

    /// How many octets belong to what was scanned so far.
    pub fn scanned(&self) -> usize {
        self.at
    }

    /// The size of the target so far.
    pub fn target_bytes(&self) -> usize {
        if self.state == State::Target { self.at - self.mark } else { self.target.len() }
    }

    /// Go on in `head`, which has grown; where the head ends, if it does.
    pub fn scan(&mut self, head: &[u8]) -> Result<Option<usize>, Flaw> {
        while let Some(&octet) = head.get(self.at) {
            match self.state {
                State::Start if octet == b'\r' || octet == b'\n' => self.at += 1, // RFC 9112 2.2: empty lines before it
                State::Start => self.begin(State::Method, 0),
                State::Method => self.method(head)?,
                State::Preface => self.preface(octet)?,
                State::BeforeTarget if octet == b' ' => self.at += 1,
                State::BeforeTarget => self.begin(State::Target, 0),
                State::Target => self.target(head)?,
                State::OldLineEnd if octet == b'\n' => self.begin(State::Name, 1),
                State::OldLineEnd => return Err(BAD_LINE_END),
                State::BeforeVersion if octet == b' ' => self.at += 1,
                State::BeforeVersion => self.begin(State::Version, 0),
                State::Version => self.version(head, octet)?,
                State::LineEnd | State::ValueEnd if octet == b'\n' => self.begin(State::Name, 1),
                State::HeadEnd if octet == b'\n' => {
                    self.at += 1;
                    return Ok(Some(self.at));
                }
                State::LineEnd | State::ValueEnd | State::HeadEnd => return Err(BAD_LINE_END),
                State::Name => self.name(head)?,
                State::BeforeValue if octet == b' ' || octet == b'\t' => self.at += 1,
                State::BeforeValue => self.begin(State::Value, 0),
                State::Value => self.value(head)?,
            }
        }
        Ok(None)
    }

    fn begin(&mut self, state: State, skipped: usize) {
        self.at += skipped;
        self.mark = self.at;
        self.state = state;
    }

    fn method(&mut self, head: &[u8]) -> Result<(), Flaw> {
        let limit = head.len().min(self.mark + methods::LONGEST + 1);
        self.at = span(&head[..limit], self.at, is_token);
        let name = &head[self.mark..self.at];
        let Some(&behind) = head.get(self.at) else {
            return if methods::begins(name) { Ok(()) } else { Err(BAD_METHOD) };
        };
        self.method = methods::find(name).filter(|_| behind == b' ').ok_or(BAD_METHOD)?;
        if self.method == methods::PRI {
            self.state = State::Preface;
        } else {
            self.begin(State::BeforeTarget, 1);
        }
        Ok(())
    }

    fn preface(&mut self, octet: u8) -> Result<(), Flaw> {
        self.at += 1;
        let seen = self.at - self.mark;
        if PREFACE[seen - 1] == octet && seen < PREFACE.len() { Ok(()) } else { Err(UNSERVED_VERSION) }
    }

    fn target(&mut self, head: &[u8]) -> Result<(), Flaw> {
        self.at = span(head, self.at, is_target);
        let Some(&behind) = head.get(self.at) else {
            return Ok(());
        };
        self.target = Span::new(self.mark, self.at);
        if self.target.len() == 0 {
            return Err(BAD_TARGET);
        }
        match behind {
            b' ' => self.begin(State::BeforeVersion, 1),
            // HTTP/0.9, which is read as far as it takes to say that it is not served.
            b'\r' | b'\n' => {
                self.version = Version::Http09;
                self.begin(if behind == b'\r' { State::OldLineEnd } else { State::Name }, 1);
            }
            _ => return Err(BAD_TARGET),
        }
        Ok(())
    }

    fn version(&mut self, head: &[u8], octet: u8) -> Result<(), Flaw> {
        let place = self.at - self.mark;
        let digit = place == 5 || place == 7;
        if if digit { !octet.is_ascii_digit() } else { place < 8 && octet != VERSION[place] } {
            return Err(BAD_VERSION);
        }
        match (place, octet) {
            // Not before both digits are there: what is no version is another fault than one that is not served.
            (7, _) => {
                self.version = match (head[self.mark + 5], octet) {
                    (b'0', b'9') => Version::Http09,
                    (b'1', b'0') => Version::Http10,
                    (b'1', b'1') => Version::Http11,
                    (b'2', b'0') => Version::Http20,
                    _ => return Err(self.unserved(head)),
                };
            }
            (8, b'\r') => self.state = State::LineEnd,
            (8, _) => return Err(BAD_LINE_END),
            _ => {}
        }
        self.at += 1;
        Ok(())
    }

    /// A version that ends the reading; a target before it that is none is the greater fault, as the other engine has it.
    fn unserved(&self, head: &[u8]) -> Flaw {
        if is_form(self.method, self.target.of(head)) { UNSERVED_VERSION } else { NO_FORM }
    }

    fn name(&mut self, head: &[u8]) -> Result<(), Flaw> {
        self.at = span(head, self.at, is_token);
        let Some(&behind) = head.get(self.at) else {
            return Ok(());
        };
        let empty = self.at == self.mark;
        match behind {
            b':' if !empty => {
                self.name = Span::new(self.mark, self.at);
                self.begin(State::BeforeValue, 1);
                Ok(())
            }
            b'\r' if empty => {
                self.begin(State::HeadEnd, 1);
                Ok(())
            }
            b' ' | b'\t' if empty => Err(FOLDED),
            _ => Err(BAD_NAME),
        }
    }

    fn value(&mut self, head: &[u8]) -> Result<(), Flaw> {
        self.at = span(head, self.at, is_value);
        let Some(&behind) = head.get(self.at) else {
            return Ok(());
        };
        if behind != b'\r' {
            return Err(if behind == b'\n' { BAD_LINE_END } else { BAD_VALUE });
        }
        let (start, end) = trimmed(head, self.mark, self.at);
        self.field_bytes += self.name.len() + (end - start);
        self.fields.push((self.name, Span::new(start, end)));
        self.begin(State::ValueEnd, 1);
        Ok(())
    }
}

impl Version {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Http09 => "0.9",
            Self::Http20 => "2.0",
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
        }
    }

    pub const fn is_served(self) -> bool {
        matches!(self, Self::Http10 | Self::Http11)
    }
}

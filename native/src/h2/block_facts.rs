//! What a header block says about its message, and whether it may (RFC 9113 sections 8.1.1, 8.2 and 8.3).
//!
//! The rules are those of `edge/core/header_rules.py`: requests are held to the letter, of responses white space around a value
//! is let pass. One pass collects what all three judgements (request, response, trailers) need, so that it can be remembered
//! with the block. A fault costs the stream, never the connection.

use super::field_kind::{FieldFacts, Kind, is_token};
use super::session::KEPT;

const METHOD: u8 = 1;
const SCHEME: u8 = 2;
const PATH: u8 = 4;
const AUTHORITY: u8 = 8;
const STATUS: u8 = 16;
const UNKNOWN: u8 = 32;
const PROTOCOL: u8 = 64;

/// Digits after which a length is no number that a body could have (Python's own limit is as high).
const MAX_DIGITS: usize = 4300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Path {
    #[default]
    Bad,
    Slash,
    Asterisk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Method {
    #[default]
    Bad,
    Connect,
    Options,
    Other,
}

/// The facts of one block; `fields` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockFacts {
    pub fields: usize,
    /// The value of content-length, at most `u64::MAX`.
    pub content_length: Option<u64>,
    /// content-length is no number, or two.
    pub length_fault: bool,
    /// A 1xx response (section 8.1).
    pub interim: bool,
    seen: u8,
    disorder: bool,
    regular: bool,
    forbidden_name: bool,
    unsafe_value: bool,
    spaced: bool,
    bad_te: bool,
    other_host: bool,
    status_ok: bool,
    scheme_ok: bool,
    method: Method,
    path: Path,
}

/// Sees the fields of a block in order.
#[derive(Debug, Default)]
pub struct Judge {
    facts: BlockFacts,
    authority: Vec<u8>,
}

impl Judge {
    pub fn begin(&mut self) {
        self.facts = BlockFacts::default();
    }

    pub fn facts(&self) -> BlockFacts {
        self.facts
    }

    pub fn see(&mut self, field: FieldFacts, value: &[u8]) {
        if self.facts.place(field) && field.kind != Kind::Regular {
            self.weigh(field.kind, value);
        }
    }

    fn weigh(&mut self, kind: Kind, value: &[u8]) {
        let facts = &mut self.facts;
        match kind {
            Kind::Method => facts.method = method(value),
            Kind::Scheme => facts.scheme_ok = is_scheme(value),
            Kind::Path => facts.path = path(value),
            Kind::Authority => {
                self.authority.clear();
                self.authority.shrink_to(KEPT);
                self.authority.extend_from_slice(value);
            }
            Kind::Status => {
                facts.status_ok = value.len() == 3 && value.iter().all(u8::is_ascii_digit);
                facts.interim = value.first() == Some(&b'1');
            }
            Kind::Te => facts.bad_te |= !value.eq_ignore_ascii_case(b"trailers"),
            Kind::Host => {
                facts.other_host |= facts.seen & AUTHORITY != 0 && !value.eq_ignore_ascii_case(&self.authority);
            }
            Kind::ContentLength => match length(value) {
                Some(new) if facts.content_length.is_none_or(|old| old == new) => facts.content_length = Some(new),
                _ => facts.length_fault = true,
            },
            _ => {}
        }
    }
}

impl BlockFacts {
    /// What a field says by its kind and its place; false of a pseudo-field that has none here, and whose value means nothing.
    pub fn place(&mut self, field: FieldFacts) -> bool {
        self.fields += 1;
        self.unsafe_value |= field.unsafe_value;
        self.spaced |= field.spaced;
        let bit = match field.kind {
            Kind::Method => METHOD,
            Kind::Scheme => SCHEME,
            Kind::Path => PATH,
            Kind::Authority => AUTHORITY,
            Kind::Status => STATUS,
            Kind::Protocol => PROTOCOL,
            Kind::UnknownPseudo => UNKNOWN,
            kind => {
                self.regular = true;
                self.forbidden_name |= kind == Kind::Forbidden;
                return true;
            }
        };
        if self.regular || self.seen & bit != 0 {
            self.disorder = true;
            return false;
        }
        self.seen |= bit;
        true
    }

    fn malformed(&self, allowed: u8) -> bool {
        self.disorder || self.seen & !allowed != 0 || self.forbidden_name || self.unsafe_value
    }

    /// Whether it may open a request; with `connect_protocol`, CONNECT may name a protocol for its stream (RFC 8441 section 4).
    pub fn is_request(&self, connect_protocol: bool) -> bool {
        let allowed = METHOD | SCHEME | PATH | AUTHORITY | if connect_protocol { PROTOCOL } else { 0 };
        if self.malformed(allowed) || self.spaced || self.bad_te || self.other_host {
            return false;
        }
        if self.seen & PROTOCOL != 0 {
            let asks = self.method == Method::Connect && self.seen & AUTHORITY != 0;
            return asks && self.scheme_ok && self.path == Path::Slash;
        }
        match self.method {
            Method::Bad => false,
            Method::Connect => self.seen == METHOD | AUTHORITY,
            method => {
                self.scheme_ok
                    && (self.path == Path::Slash || (self.path == Path::Asterisk && method == Method::Options))
            }
        }
    }

    /// Whether it may be sent to open a request, as far as kinds and places tell: who makes one knows what the pseudo-fields are to say.
    pub fn is_sendable(&self) -> bool {
        !self.malformed(METHOD | SCHEME | PATH | AUTHORITY | PROTOCOL)
    }

    /// Whether it may open a response, interim or final.
    pub fn is_response(&self) -> bool {
        !self.malformed(STATUS) && self.status_ok
    }

    /// Whether it may end a message.
    pub fn is_trailers(&self) -> bool {
        !self.malformed(0)
    }
}

fn method(value: &[u8]) -> Method {
    match value {
        b"CONNECT" => Method::Connect,
        b"OPTIONS" => Method::Options,
        _ if !value.is_empty() && value.iter().all(|&octet| is_token(octet)) => Method::Other,
        _ => Method::Bad,
    }
}

fn path(value: &[u8]) -> Path {
    match value {
        [b'/', ..] => Path::Slash,
        b"*" => Path::Asterisk,
        _ => Path::Bad,
    }
}

/// RFC 3986 section 3.1.
fn is_scheme(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_alphabetic)
        && value.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(octet))
}

fn length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > MAX_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0u64, |sum, octet| sum.saturating_mul(10).saturating_add(u64::from(octet - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields<'a> = &'a [(&'a str, &'a str)];

    fn facts(fields: Fields) -> BlockFacts {
        let mut judge = Judge::default();
        judge.begin();
        for (name, value) in fields {
            judge.see(FieldFacts::of(name.as_bytes(), value.as_bytes()), value.as_bytes());
        }
        judge.facts()
    }

    fn with(more: Fields) -> BlockFacts {
        let mut all = vec![(":method", "POST"), (":scheme", "http"), (":path", "/a"), (":authority", "h")];
        all.extend_from_slice(more);
        facts(&all)
    }

    #[test]
    fn good_requests() {
        assert!(with(&[]).is_request(false));
        assert!(with(&[("te", "Trailers"), ("host", "H"), ("x", "")]).is_request(false));
        assert!(facts(&[(":method", "OPTIONS"), (":scheme", "https"), (":path", "*")]).is_request(false));
        assert!(facts(&[(":method", "CONNECT"), (":authority", "h:1")]).is_request(false));
    }

    #[test]
    fn extended_connect() {
        let asks: Fields = &[
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "https"),
            (":path", "/a"),
            (":authority", "h"),
        ];
        assert!(facts(asks).is_request(true));
        assert!(!facts(asks).is_request(false));
        assert!(!facts(&asks[..4]).is_request(true));
        assert!(!facts(&asks[1..]).is_request(true));
        assert!(!with(&[(":protocol", "websocket")]).is_request(true));
        assert!(facts(&[(":method", "CONNECT"), (":authority", "h:1")]).is_request(true));
    }

    #[test]
    fn bad_requests() {
        for more in [
            ("a", " x"),
            ("a", "x\t"),
            ("a", "\0"),
            ("a", "x\r"),
            ("a", "\n"),
            ("te", "gzip"),
            ("connection", "close"),
            ("host", "other"),
            ("Upper", "x"),
            ("", "x"),
            ("a b", "x"),
            (":path", "/b"),
            (":status", "200"),
            (":x", "y"),
        ] {
            assert!(!with(&[more]).is_request(false), "{more:?}");
        }
        assert!(!with(&[("a", "b"), (":protocol", "x")]).is_request(false));
        for bad in [
            &[][..],
            &[("a", "b"), (":method", "GET"), (":scheme", "http"), (":path", "/")],
            &[(":method", "GET"), (":scheme", "http"), (":path", "")],
            &[(":method", "GET"), (":scheme", "http"), (":path", "*")],
            &[(":method", "G ET"), (":scheme", "http"), (":path", "/")],
            &[(":method", "GET"), (":scheme", "1http"), (":path", "/")],
            &[(":method", "CONNECT"), (":authority", "h"), (":path", "/")],
        ] {
            assert!(!facts(bad).is_request(false), "{bad:?}");
        }
    }

    #[test]
    fn what_may_be_sent_is_told_by_kinds_and_places_alone() {
        for good in [&[("te", "gzip")][..], &[("host", "other"), ("a", " x ")], &[("content-length", "x")], &[]] {
            assert!(with(good).is_sendable(), "{good:?}");
        }
        assert!(facts(&[(":method", "CONNECT"), (":protocol", "websocket")]).is_sendable());
        for bad in
            [("a", "\n"), ("Upper", "x"), ("connection", "close"), (":path", "/b"), (":status", "200"), (":x", "y")]
        {
            assert!(!with(&[bad]).is_sendable(), "{bad:?}");
            assert!(!with(&[("a", "b"), bad]).is_sendable(), "{bad:?}");
        }
        assert!(!facts(&[("a", "b"), (":method", "GET")]).is_sendable());
    }

    #[test]
    fn responses_and_trailers() {
        assert!(facts(&[(":status", "200"), ("grpc-message", " spaced ")]).is_response());
        assert!(facts(&[(":status", "103")]).interim);
        assert!(!facts(&[(":status", "20")]).is_response());
        assert!(!facts(&[("a", "b"), (":status", "200")]).is_response());
        assert!(facts(&[("grpc-status", "0")]).is_trailers());
        assert!(!facts(&[(":status", "200")]).is_trailers());
        assert!(!facts(&[("a", "b\0")]).is_trailers());
    }

    #[test]
    fn lengths() {
        assert_eq!(facts(&[("content-length", "007"), ("content-length", "7")]).content_length, Some(7));
        for bad in ["", "-1", "1,1", "0x1", "1 "] {
            assert!(facts(&[("content-length", bad)]).length_fault, "{bad}");
        }
        assert!(facts(&[("content-length", "1"), ("content-length", "2")]).length_fault);
    }
}

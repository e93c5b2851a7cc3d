//! Whether a head's parts may stand together (`edge.core.http1_head`, which says the rules and their reasons).

use super::authority::is_authority;
use super::chars::trimmed;
use super::flaw::{Flaw, Kind, NO_FORM, UNSERVED_VERSION};
use super::scan::{Scan, Span, Version};
use super::target::{Target, is_form, split};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub target: Target,
    pub content_length: Option<u64>,
    pub chunked: bool,
    pub expects: bool,
    pub keep_alive: bool,
}

/// The fields that are looked at. A request has few of them: found in one pass over the names.
#[derive(Default)]
pub struct Special {
    host: Option<Span>,
    length: Option<Span>,
    coding: Option<Span>,
    expect: Option<Span>,
    twice: Option<&'static str>,
    framed_twice: bool,
    closes: bool,
    stays: bool,
    upgrade: bool,
    upgrades: bool,
}

const MAX_LENGTH_DIGITS: usize = 18; // below 2^63: no arithmetic further down can overflow
const TWO_FRAMES: Flaw = Flaw::malformed("both Content-Length and Transfer-Encoding");

impl Special {
    pub fn of(head: &[u8], scan: &Scan) -> Self {
        let mut special = Self::default();
        for &(name, value) in &scan.fields {
            special.look(head, name.of(head), value);
        }
        special
    }

    fn look(&mut self, head: &[u8], name: &[u8], value: Span) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("host") => once(&mut self.host, value, &mut self.twice, "more than one host field"),
            6 if is("expect") => once(&mut self.expect, value, &mut self.twice, "more than one expect field"),
            7 if is("upgrade") => self.upgrade = true,
            10 if is("connection") => self.options(value.of(head)),
            14 if is("content-length") => {
                self.framed_twice |= self.length.is_some();
                once(&mut self.length, value, &mut self.twice, "more than one content-length field");
            }
            16 if is("proxy-connection") => self.options(value.of(head)),
            17 if is("transfer-encoding") => {
                self.framed_twice |= self.coding.is_some();
                once(&mut self.coding, value, &mut self.twice, "more than one transfer-encoding field");
            }
            _ => {}
        }
    }

    fn options(&mut self, value: &[u8]) {
        for option in value.split(|&octet| octet == b',') {
            let (start, end) = trimmed(option, 0, option.len());
            let option = &option[start..end];
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.stays |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrades |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// What is wrong whatever else the head says: its framing and the form of its target. Such a head counts as not read.
    pub fn unreadable(&self, head: &[u8], scan: &Scan) -> Option<Flaw> {
        if !is_form(scan.method, scan.target.of(head)) {
            return Some(NO_FORM);
        }
        if self.framed_twice {
            return self.twice.map(Flaw::malformed).or(Some(TWO_FRAMES));
        }
        if self.length.is_some() && self.coding.is_some() {
            return Some(TWO_FRAMES);
        }
        if let Some(length) = self.length
            && !is_number(length.of(head))
        {
            return Some(Flaw::malformed("Content-Length is not a decimal number"));
        }
        if let Some(coding) = self.coding
            && !coding.of(head).eq_ignore_ascii_case(b"chunked")
        {
            return Some(Flaw::malformed("a Transfer-Encoding other than chunked"));
        }
        None
    }

    pub fn persists(&self, version: Version) -> bool {
        let stays = version == Version::Http11 || (version == Version::Http10 && self.stays);
        stays && !self.closes && !(self.upgrade && self.upgrades)
    }

    /// The facts of a head that is readable, or the first rule it breaks.
    pub fn examine(&self, head: &[u8], scan: &Scan) -> Result<Facts, Flaw> {
        if !scan.version.is_served() {
            return Err(UNSERVED_VERSION);
        }
        let target = split(scan.method, head, scan.target)?;
        if let Some(detail) = self.twice {
            return Err(Flaw::malformed(detail));
        }
        match self.host {
            None if scan.version == Version::Http11 => return Err(Flaw::malformed("no Host field")),
            Some(host) if !is_authority(host.of(head)) => return Err(Flaw::malformed("the Host field is not a host")),
            _ => {}
        }
        if self.coding.is_some() && scan.version == Version::Http10 {
            return Err(Flaw::malformed("Transfer-Encoding in HTTP/1.0"));
        }
        let content_length = self.length.map(|length| number(length.of(head))).transpose()?;
        if let Some(expect) = self.expect
            && !expect.of(head).eq_ignore_ascii_case(b"100-continue")
        {
            return Err(Flaw::new(Kind::Expectation, "an expectation other than 100-continue"));
        }
        let body = self.coding.is_some() || content_length.unwrap_or(0) > 0;
        Ok(Facts {
            target,
            content_length,
            chunked: self.coding.is_some(),
            expects: self.expect.is_some() && scan.version == Version::Http11 && body,
            keep_alive: self.persists(scan.version),
        })
    }
}

fn once(place: &mut Option<Span>, value: Span, twice: &mut Option<&'static str>, detail: &'static str) {
    if place.is_some() {
        twice.get_or_insert(detail);
    } else {
        *place = Some(value);
    }
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn number(text: &[u8]) -> Result<u64, Flaw> {
    if text.len() > MAX_LENGTH_DIGITS {
        return Err(Flaw::malformed("Content-Length is not a decimal number"));
    }
    Ok(text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Fields that a trailer section may not have: they would say where the message ends, or the connection.
pub fn may_trail(name: &[u8]) -> bool {
    const NEVER: [&str; 6] =
        ["content-length", "transfer-encoding", "host", "connection", "proxy-connection", "upgrade"];
    !NEVER.iter().any(|never| name.eq_ignore_ascii_case(never.as_bytes()))
}

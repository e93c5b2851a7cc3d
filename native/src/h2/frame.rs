//! Frames as bytes: the head of nine octets, padding, and what each kind must look like before its meaning is asked for.
//!
//! Source: RFC 9113 sections 4.1, 4.2 and 6.

use super::code::Failure;

pub const HEAD_BYTES: usize = 9;
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0x0;
pub const HEADERS: u8 = 0x1;
pub const PRIORITY: u8 = 0x2;
pub const RST_STREAM: u8 = 0x3;
pub const SETTINGS: u8 = 0x4;
pub const PUSH_PROMISE: u8 = 0x5;
pub const PING: u8 = 0x6;
pub const GOAWAY: u8 = 0x7;
pub const WINDOW_UPDATE: u8 = 0x8;
pub const CONTINUATION: u8 = 0x9;

pub const ACK: u8 = 0x1;
pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
pub const PADDED: u8 = 0x8;
pub const PRIORITIZED: u8 = 0x20;

const STREAM_MASK: u32 = 0x7fff_ffff;

/// What every frame begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub size: usize,
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
}

impl Head {
    /// The head at the beginning of `data`, when it is all there.
    pub fn read(data: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD_BYTES] = data.first_chunk()?;
        let [a, b, c, kind, flags, s, t, u, v] = *head;
        Some(Self {
            size: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes([s, t, u, v]) & STREAM_MASK,
        })
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the kind may stand on this stream at all (RFC 9113 section 6, each kind's last paragraphs).
    pub fn check_stream(&self) -> Result<(), Failure> {
        let of_streams = matches!(self.kind, DATA | HEADERS | PRIORITY | RST_STREAM | PUSH_PROMISE | CONTINUATION);
        let of_connection = matches!(self.kind, SETTINGS | PING | GOAWAY);
        if (of_streams && self.stream == 0) || (of_connection && self.stream != 0) {
            return Err(Failure::protocol("a frame on a stream its kind may not be on"));
        }
        Ok(())
    }
}

/// Four octets in network order, or why the frame is too short.
pub fn number(payload: &[u8]) -> Result<u32, Failure> {
    match payload.first_chunk::<4>() {
        Some(octets) => Ok(u32::from_be_bytes(*octets)),
        None => Err(Failure::size("a frame without its first field")),
    }
}

/// A payload that must be just four octets long.
pub fn only_number(payload: &[u8]) -> Result<u32, Failure> {
    if payload.len() == 4 { number(payload) } else { Err(Failure::size("a frame that must have four octets")) }
}

/// The number without its reserved bit, which is ignored (RFC 9113 sections 6.8 and 6.9).
pub const fn unreserved(value: u32) -> u32 {
    value & STREAM_MASK
}

/// A payload without its padding (RFC 9113 section 6.1). What was padded may be empty.
pub fn unpadded(head: Head, payload: &[u8]) -> Result<(&[u8], usize), Failure> {
    if !head.has(PADDED) {
        return Ok((payload, 0));
    }
    let Some((&padding, rest)) = payload.split_first() else {
        return Err(Failure::size("a padded frame without the length of its padding"));
    };
    Ok((rest, padding as usize))
}

/// The header block fragment of HEADERS, and the stream it says to depend on.
pub fn headers_fragment(head: Head, payload: &[u8]) -> Result<(&[u8], Option<u32>), Failure> {
    let (rest, padding) = unpadded(head, payload)?;
    let mut depends_on = None;
    let mut block = rest;
    if head.has(PRIORITIZED) {
        depends_on = Some(dependency(rest)?);
        block = rest.get(5..).unwrap_or_default();
    }
    if padding > 0 && padding >= rest.len() {
        return Err(Failure::protocol("padding longer than its frame"));
    }
    Ok((&block[..block.len().saturating_sub(padding)], depends_on))
}

/// The stream a PRIORITY, or HEADERS with one, depends on (RFC 9113 section 6.3).
pub fn dependency(payload: &[u8]) -> Result<u32, Failure> {
    if payload.len() < 5 {
        return Err(Failure::size("a priority of less than five octets"));
    }
    Ok(unreserved(number(payload)?))
}

/// The body bytes of DATA.
pub fn data_bytes(head: Head, payload: &[u8]) -> Result<&[u8], Failure> {
    let (rest, padding) = unpadded(head, payload)?;
    if padding > rest.len() {
        return Err(Failure::protocol("padding longer than its frame"));
    }
    Ok(&rest[..rest.len() - padding])
}

/// Whether a frame is what its kind must be; what it means where it stands is another question.
pub fn check(head: Head, payload: &[u8]) -> Result<(), Failure> {
    head.check_stream()?;
    match head.kind {
        DATA => data_bytes(head, payload).map(|_| ()),
        HEADERS => headers_fragment(head, payload).map(|_| ()),
        PRIORITY if payload.len() != 5 => Err(Failure::size("a PRIORITY of other than five octets")),
        RST_STREAM => only_number(payload).map(|_| ()),
        SETTINGS if head.has(ACK) && !payload.is_empty() => Err(Failure::size("an acknowledgement that has settings")),
        SETTINGS if !payload.len().is_multiple_of(6) => Err(Failure::size("SETTINGS that end within a setting")),
        PUSH_PROMISE => check_push_promise(head, payload),
        PING if payload.len() != 8 => Err(Failure::size("a PING of other than eight octets")),
        GOAWAY if payload.len() < 8 => Err(Failure::size("a GOAWAY of less than eight octets")),
        WINDOW_UPDATE if unreserved(only_number(payload)?) == 0 => Err(Failure::protocol("a window opened by nothing")),
        _ => Ok(()),
    }
}

/// PUSH_PROMISE is never allowed here, but malformed ones are told apart.
fn check_push_promise(head: Head, payload: &[u8]) -> Result<(), Failure> {
    let (rest, padding) = unpadded(head, payload)?;
    let promised = number(rest)?;
    if promised == 0 || !promised.is_multiple_of(2) {
        return Err(Failure::protocol("a promised stream that is no server's"));
    }
    if padding > 0 && padding >= payload.len() {
        return Err(Failure::protocol("padding longer than its frame"));
    }
    Ok(())
}

/// Appends the head of a frame.
pub fn write_head(out: &mut Vec<u8>, size: usize, kind: u8, flags: u8, stream: u32) {
    let [_, a, b, c] = (size as u32).to_be_bytes();
    let [s, t, u, v] = stream.to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags, s, t, u, v]);
}

/// Appends a whole frame.
pub fn write(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    write_head(out, payload.len(), kind, flags, stream);
    out.extend_from_slice(payload);
}

/// Appends a frame whose payload is one number: RST_STREAM, WINDOW_UPDATE.
pub fn write_number(out: &mut Vec<u8>, kind: u8, stream: u32, value: u32) {
    write(out, kind, 0, stream, &value.to_be_bytes());
}

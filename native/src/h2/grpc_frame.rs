//! A gRPC message behind its five octets: a flag, and its length (PROTOCOL-HTTP2.md, Length-Prefixed-Message).
//!
//! Owns that the common message is never joined with its prefix, nor cut from it, in Python. What else a body may be (compressed, in pieces,
//! several messages, none) is `edge/core/grpc_frame.py`'s to say.

use std::ops::Range;

use super::session::Body;

pub const PREFIX_BYTES: usize = 5;

/// One message, not compressed, as it is sent.
pub struct Framed<'a> {
    prefix: [u8; PREFIX_BYTES],
    message: &'a [u8],
}

impl<'a> Framed<'a> {
    /// None when it is longer than a length can say.
    pub fn of(message: &'a [u8]) -> Option<Self> {
        let length = u32::try_from(message.len()).ok()?;
        Some(Self { prefix: prefix(length), message })
    }
}

impl Body for Framed<'_> {
    fn size(&self) -> usize {
        PREFIX_BYTES + self.message.len()
    }

    fn append(&self, range: Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(
            self.prefix.get(range.start.min(PREFIX_BYTES)..range.end.min(PREFIX_BYTES)).unwrap_or_default(),
        );
        let (start, end) = (range.start.saturating_sub(PREFIX_BYTES), range.end.saturating_sub(PREFIX_BYTES));
        out.extend_from_slice(self.message.get(start..end).unwrap_or_default());
    }
}

fn prefix(length: u32) -> [u8; PREFIX_BYTES] {
    let [a, b, c, d] = length.to_be_bytes();
    [0, a, b, c, d]
}

/// A message with its prefix.
pub fn joined(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(PREFIX_BYTES + message.len());
    if let Some(framed) = Framed::of(message) {
        framed.append(0..framed.size(), &mut out);
    }
    out
}

/// The message, when `data` is exactly one that is not compressed.
pub fn message(data: &[u8]) -> Option<&[u8]> {
    let (start, message) = data.split_first_chunk::<PREFIX_BYTES>()?;
    (*start == prefix(u32::try_from(message.len()).ok()?)).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8], cuts: &[usize]) -> Vec<u8> {
        let body = Framed::of(message).unwrap();
        let mut out = Vec::new();
        let mut start = 0;
        for &end in cuts {
            body.append(start..end, &mut out);
            start = end;
        }
        body.append(start..body.size(), &mut out);
        out
    }

    #[test]
    fn a_message_is_framed_whole_and_in_any_pieces() {
        let whole = b"\0\0\0\0\x03abc";
        for cut in 0..=whole.len() {
            assert_eq!(framed(b"abc", &[cut]), whole, "cut at {cut}");
        }
        assert_eq!(framed(b"abc", &[1, 4, 6]), whole);
        assert_eq!(framed(b"", &[]), [0; 5]);
        assert_eq!(framed(&[7; 70_000], &[16_384])[..5], [0, 0, 1, 0x11, 0x70]);
    }

    #[test]
    fn one_message_is_read_and_nothing_else() {
        assert_eq!(message(b"\0\0\0\0\x03abc"), Some(&b"abc"[..]));
        assert_eq!(message(&[0; 5]), Some(&b""[..]));
        for other in [&b""[..], &[0; 4], b"\x01\0\0\0\x01a", b"\0\0\0\0\x02a", b"\0\0\0\0\x01ab", &[0; 10]] {
            assert_eq!(message(other), None, "{other:?}");
        }
    }
}

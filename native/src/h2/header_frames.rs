//! A header block as HEADERS and, where it is long, CONTINUATIONs (RFC 9113 sections 6.2 and 6.10).

use super::encoder::Encoder;
use super::frame::{self, CONTINUATION, END_HEADERS, END_STREAM, HEAD_BYTES, HEADERS};

/// A header list that was found to be one: it can be encoded without an error, which would lose the compression state.
pub trait Headers {
    /// Whether the first field has this name, and a value that passes the test.
    fn first_is(&self, name: &[u8], test: impl Fn(&[u8]) -> bool) -> bool;
    fn encode(&mut self, encoder: &mut Encoder, out: &mut Vec<u8>);
}

impl Headers for &[(&[u8], &[u8])] {
    fn first_is(&self, name: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
        self.first().is_some_and(|(first, value)| *first == name && test(value))
    }

    fn encode(&mut self, encoder: &mut Encoder, out: &mut Vec<u8>) {
        for (name, value) in *self {
            encoder.field(out, name, value);
        }
    }
}

/// Appends the frames of one header block.
pub fn write(
    out: &mut Vec<u8>,
    encoder: &mut Encoder,
    most: usize,
    stream: u32,
    headers: &mut impl Headers,
    end: bool,
) {
    let start = out.len();
    let flags = if end { END_STREAM } else { 0 };
    frame::write_head(out, 0, HEADERS, flags | END_HEADERS, stream);
    encoder.begin(out);
    headers.encode(encoder, out);
    let size = out.len() - start - HEAD_BYTES;
    if size <= most {
        let [_, a, b, c] = (size as u32).to_be_bytes();
        out[start..start + 3].copy_from_slice(&[a, b, c]);
        return;
    }
    let block = out.split_off(start + HEAD_BYTES);
    out.truncate(start);
    let last = block.len().div_ceil(most) - 1;
    for (number, part) in block.chunks(most).enumerate() {
        let kind = if number == 0 { HEADERS } else { CONTINUATION };
        let first = if number == 0 { flags } else { 0 };
        frame::write(out, kind, first | if number == last { END_HEADERS } else { 0 }, stream, part);
    }
}

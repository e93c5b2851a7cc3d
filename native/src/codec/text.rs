//! Runs of plain text in JSON strings, eight bytes at a time.
//!
//! Owns which bytes end a run: the quote, the backslash and the controls below the space. All others, those of UTF-8 too, stand for
//! themselves (RFC 8259 section 7).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A mask with the high bit of each byte that ends a run; the lowest such bit is exact, those above it may be too many.
#[inline]
fn ends(chunk: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(chunk ^ (ONES * b'"' as u64));
    let backslash = zero(chunk ^ (ONES * b'\\' as u64));
    let control = chunk.wrapping_sub(ONES * 0x20) & !chunk;
    (quote | backslash | control) & HIGHS
}

/// The index from `at` of the first byte that ends a run, or the length.
#[inline]
pub fn run_end(text: &[u8], mut at: usize) -> usize {
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let mask = ends(u64::from_le_bytes(*eight));
        if mask != 0 {
            return at + (mask.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < text.len() && !matches!(text[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes a JSON string. The bytes are UTF-8.
#[inline]
pub fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut at = 0;
    loop {
        let end = run_end(text, at);
        out.extend_from_slice(&text[at..end]);
        let Some(&byte) = text.get(end) else { break };
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            _ => {
                let [high, low] = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                at = end + 1;
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
        at = end + 1;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_ends_where_a_look_at_each_byte_says(text: Vec<u8>, start in 0usize..64) {
            let start = start.min(text.len());
            let plain = text[start..].iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            prop_assert_eq!(run_end(&text, start), plain.map_or(text.len(), |n| start + n));
        }
    }

    #[test]
    fn controls_are_escaped_and_delete_is_not() {
        let mut out = Vec::new();
        put_string(&mut out, "a\"\\\n\u{1}\u{7f}é".as_bytes());
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001\u{7f}é\"".as_bytes());
    }
}

//! Wire format primitives: varints, tags, skipping what is not known, and lengths written after what they measure.
//!
//! Owns the bounds: a read never passes its slice, a skip never nests deeper than it is allowed to.
//! Source: <https://protobuf.dev/programming-guides/encoding/>; limits as in upb, the decoder of the portable engine.

pub const VARINT: u8 = 0;
pub const I64: u8 = 1;
pub const LEN: u8 = 2;
pub const START_GROUP: u8 = 3;
pub const END_GROUP: u8 = 4;
pub const I32: u8 = 5;

/// Messages within messages that a decoder takes, the outermost not counted (protobuf's own default).
pub const MAX_NESTING: u32 = 100;

const MAX_TAG: u64 = u32::MAX as u64;
const MAX_SIZE: u64 = i32::MAX as u64;

/// The bytes are no message of the type they should be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

const CUT: Malformed = Malformed("it ends in the middle of a field");
const LONG: Malformed = Malformed("a varint is too long");

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire));
}

/// Begins a length-delimited value: one byte is kept for its length.
#[inline]
pub fn open(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len() - 1
}

/// Ends what `open` began at `mark`. Content of 128 bytes or more moves up to make room for a longer length.
#[inline]
pub fn close(out: &mut Vec<u8>, mark: usize) {
    let size = out.len() - mark - 1;
    if size < 0x80 {
        out[mark] = size as u8;
        return;
    }
    let bits = usize::BITS - size.leading_zeros();
    let extra = (bits as usize).div_ceil(7) - 1;
    let end = out.len();
    out.resize(end + extra, 0);
    out.copy_within(mark + 1..end, mark + 1 + extra);
    let mut rest = size;
    for slot in &mut out[mark..mark + extra] {
        *slot = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[mark + extra] = rest as u8;
}

#[inline]
pub fn read_varint(bytes: &[u8], at: &mut usize) -> Result<u64, Malformed> {
    match bytes.get(*at) {
        Some(&byte) if byte < 0x80 => {
            *at += 1;
            Ok(u64::from(byte))
        }
        _ => read_long_varint(bytes, at, 10),
    }
}

/// Up to `most` bytes; bits past the 64th are lost, as everywhere.
fn read_long_varint(bytes: &[u8], at: &mut usize, most: usize) -> Result<u64, Malformed> {
    let mut value = 0u64;
    for index in 0..most {
        let byte = *bytes.get(*at + index).ok_or(CUT)?;
        value |= u64::from(byte & 0x7f).wrapping_shl(7 * index as u32);
        if byte < 0x80 {
            *at += index + 1;
            return Ok(value);
        }
    }
    Err(LONG)
}

/// A field number, never 0, and a wire type.
#[inline]
pub fn read_tag(bytes: &[u8], at: &mut usize) -> Result<(u32, u8), Malformed> {
    let (number, wire) = read_any_tag(bytes, at)?;
    if number == 0 {
        return Err(Malformed("a field has the number 0"));
    }
    Ok((number, wire))
}

#[inline]
fn read_any_tag(bytes: &[u8], at: &mut usize) -> Result<(u32, u8), Malformed> {
    let tag = match bytes.get(*at) {
        Some(&byte) if byte < 0x80 => {
            *at += 1;
            u64::from(byte)
        }
        _ => read_long_varint(bytes, at, 5)?,
    };
    if tag > MAX_TAG {
        return Err(LONG);
    }
    Ok(((tag >> 3) as u32, (tag & 7) as u8))
}

/// Where a length-delimited value starts and ends; `at` then stands behind it.
#[inline]
pub fn read_span(bytes: &[u8], at: &mut usize) -> Result<(usize, usize), Malformed> {
    let size = match bytes.get(*at) {
        Some(&byte) if byte < 0x80 => {
            *at += 1;
            u64::from(byte)
        }
        _ => read_long_varint(bytes, at, 5)?,
    };
    if size > MAX_SIZE || size as usize > bytes.len() - *at {
        return Err(CUT);
    }
    let start = *at;
    *at += size as usize;
    Ok((start, *at))
}

#[inline]
pub fn read_i32(bytes: &[u8], at: &mut usize) -> Result<u32, Malformed> {
    let four = bytes.get(*at..*at + 4).ok_or(CUT)?;
    *at += 4;
    Ok(u32::from_le_bytes(four.try_into().map_err(|_| CUT)?))
}

#[inline]
pub fn read_i64(bytes: &[u8], at: &mut usize) -> Result<u64, Malformed> {
    let eight = bytes.get(*at..*at + 8).ok_or(CUT)?;
    *at += 8;
    Ok(u64::from_le_bytes(eight.try_into().map_err(|_| CUT)?))
}

/// Skips a field whose tag has been read. `levels`: how many groups may still nest.
pub fn skip(bytes: &[u8], at: &mut usize, number: u32, wire: u8, levels: u32) -> Result<(), Malformed> {
    match wire {
        VARINT => read_varint(bytes, at).map(drop),
        I64 => read_i64(bytes, at).map(drop),
        LEN => read_span(bytes, at).map(drop),
        I32 => read_i32(bytes, at).map(drop),
        START_GROUP => {
            let levels = levels.checked_sub(1).ok_or(TOO_DEEP)?;
            loop {
                // In a group that nobody knows upb lets the number 0 pass.
                let (inner, wire) = read_any_tag(bytes, at)?;
                if wire == END_GROUP {
                    return if inner == number { Ok(()) } else { Err(STRAY_END) };
                }
                skip(bytes, at, inner, wire, levels)?;
            }
        }
        END_GROUP => Err(STRAY_END),
        _ => Err(Malformed("a field has an unknown wire type")),
    }
}

pub const TOO_DEEP: Malformed = Malformed("its messages are nested too deep");
const STRAY_END: Malformed = Malformed("a group ends that did not begin");

/// From the bits of a zigzag integer to the integer's.
#[inline]
pub fn unzigzag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

#[inline]
pub fn zigzag(value: i64) -> u64 {
    (value as u64) << 1 ^ (value >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut at = 0;
            prop_assert_eq!(read_varint(&out, &mut at), Ok(value));
            prop_assert_eq!(at, out.len());
        }

        #[test]
        fn zigzag_comes_back(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }

        #[test]
        fn any_bytes_are_skipped_or_refused(bytes: Vec<u8>, wire in 0u8..8) {
            let mut at = 0;
            let _ = skip(&bytes, &mut at, 1, wire, MAX_NESTING);
            prop_assert!(at <= bytes.len());
        }
    }

    #[test]
    fn lengths_are_written_behind_what_they_measure() {
        for size in [0usize, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let mut out = vec![9];
            let mark = open(&mut out);
            out.extend(std::iter::repeat_n(7u8, size));
            close(&mut out, mark);
            let mut at = 1;
            let (start, end) = read_span(&out, &mut at).unwrap();
            assert_eq!((end - start, end), (size, out.len()));
            assert!(out[start..end].iter().all(|&byte| byte == 7));
        }
    }
}

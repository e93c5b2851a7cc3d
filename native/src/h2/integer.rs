//! HPACK's integers (RFC 7541 section 5.1).

use super::hpack_error::HpackError;

/// Octets after the prefix; five say more than 2^32, and what is longer is an attack or an error.
const MAX_MORE: usize = 5;

/// The integer at the beginning of `data` with a prefix of so many bits, and the rest.
pub fn decode(data: &[u8], prefix_bits: u32) -> Result<(usize, &[u8]), HpackError> {
    let (&first, mut rest) = data.split_first().ok_or(HpackError::Malformed)?;
    let most = (1u64 << prefix_bits) - 1;
    let mut value = u64::from(first) & most;
    if value < most {
        return Ok((value as usize, rest));
    }
    for more in 0..MAX_MORE {
        let (&octet, after) = rest.split_first().ok_or(HpackError::Malformed)?;
        rest = after;
        value += u64::from(octet & 0x7f) << (7 * more);
        if octet < 0x80 {
            return Ok((usize::try_from(value).map_err(|_| HpackError::Malformed)?, rest));
        }
    }
    Err(HpackError::Malformed)
}

/// Appends `value`; `flags` are the bits before the prefix.
pub fn encode(out: &mut Vec<u8>, value: usize, prefix_bits: u32, flags: u8) {
    let most = (1usize << prefix_bits) - 1;
    if value < most {
        out.push(flags | value as u8);
        return;
    }
    out.push(flags | most as u8);
    let mut left = value - most;
    while left >= 0x80 {
        out.push(0x80 | (left & 0x7f) as u8);
        left >>= 7;
    }
    out.push(left as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_appendix_c_1() {
        for (value, bits, octets) in [(10, 5, &[0x0a][..]), (1337, 5, &[0x1f, 0x9a, 0x0a]), (42, 8, &[0x2a])] {
            let mut out = Vec::new();
            encode(&mut out, value, bits, 0);
            assert_eq!(out, octets);
            assert_eq!(decode(octets, bits), Ok((value, &[][..])));
        }
    }

    #[test]
    fn too_long_or_cut_short_is_refused() {
        assert!(decode(&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 5).is_err());
        assert!(decode(&[0x1f, 0x80], 5).is_err());
        assert!(decode(&[], 7).is_err());
        assert!(decode(&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x7f], 5).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_decoded(value in 0usize..1 << 34, bits in 1u32..=8) {
            let mut out = Vec::new();
            encode(&mut out, value, bits, 0);
            proptest::prop_assert_eq!(decode(&out, bits), Ok((value, &[][..])));
        }
    }
}

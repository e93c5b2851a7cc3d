//! Floating-point numbers as JSON: the shortest text that reads back as the same number, and names for those JSON lacks.
//!
//! Owns the shortest form of a 32-bit float: 0.1f prints 0.1, not the double 0.10000000149011612 it is stored as. Whole numbers print
//! without `.0` up to 2^53, past which their digits would feign precision.

const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;
const FAITHFUL_DIGITS: usize = 6; // that many survive any (normal) float, so fewer are found by these
const ENOUGH_DIGITS: usize = 9; // of a float, IEEE 754-2019 section 5.12.2

#[inline]
pub fn put_double(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        let name: &[u8] = match value {
            f64::INFINITY => b"\"Infinity\"",
            f64::NEG_INFINITY => b"\"-Infinity\"",
            _ => b"\"NaN\"",
        };
        out.extend_from_slice(name);
    } else if value.fract() == 0.0 && value.abs() < EXACT_INTEGERS && (value != 0.0 || value.is_sign_positive()) {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    }
}

pub fn put_float(out: &mut Vec<u8>, value: f32) {
    put_double(out, if value.is_finite() { shortest(value) } else { value.into() });
}

/// The double with the fewest digits, but at least six, that rounds to this float.
fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    if exact.fract() == 0.0 && exact.abs() < 1e6 {
        return exact;
    }
    // Zmij finds the fewest digits too, and the nearest of those; at powers of two and among subnormals it may do with fewer or others.
    if value.is_normal() && value.to_bits() & 0x7F_FFFF != 0 {
        return zmij::Buffer::new().format_finite(value).parse().unwrap_or(exact);
    }
    by_digits(value)
}

fn by_digits(value: f32) -> f64 {
    let exact = f64::from(value);
    for digits in FAITHFUL_DIGITS..ENOUGH_DIGITS {
        let short: f64 = format!("{exact:.*e}", digits - 1).parse().unwrap_or(exact);
        if short as f32 == value {
            return short;
        }
    }
    format!("{exact:.*e}", ENOUGH_DIGITS - 1).parse().unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn the_quick_way_is_the_long_way(bits: u32) {
            let value = f32::from_bits(bits);
            if value.is_finite() {
                prop_assert_eq!(shortest(value).to_bits(), by_digits(value).to_bits());
            }
        }
    }

    #[test]
    fn whole_numbers_and_names() {
        let printed = |value| {
            let mut out = Vec::new();
            put_double(&mut out, value);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([0.0, -0.0, 5.0, 1e16, 0.5, f64::NAN].map(printed), ["0", "-0.0", "5", "1e+16", "0.5", "\"NaN\""]);
    }
}

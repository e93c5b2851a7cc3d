//! Scalars from text and from JSON numbers: ranges and spellings, used by bodies, paths, queries and map keys alike.
//!
//! Owns that integers may have any form with an integral value, the names of what is not finite, base64 in either alphabet with or
//! without padding, and that text is never trimmed: `1_0`, `+1` or `nan` are no numbers.
//! Source: the proto3 JSON mapping, <https://protobuf.dev/programming-guides/json/>.

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};

use super::cursor::Number;
use super::misfit::{Misfit, Piece};
use super::schema::{EnumType, Kind};
use super::wire::zigzag;

const MAX_NUMBER_CHARACTERS: usize = 400;
const MAX_INTEGER_EXPONENT: i64 = 20;
/// The first double that rounds to infinity as a float: FLT_MAX and half a step.
const FLOAT_END: f64 = 3.4028235677973366e38;

/// A value as it was written, to be quoted should it not fit.
#[derive(Clone, Copy)]
pub enum Written<'a> {
    Text(&'a str),
    Json(&'a str),
}

impl Written<'_> {
    pub fn piece(self) -> Piece {
        match self {
            Self::Text(text) => Piece::Text(text.to_owned()),
            Self::Json(text) => Piece::Json(text.to_owned()),
        }
    }

    pub fn refuse(self, rest: impl Into<Piece>) -> Misfit {
        Misfit::pieces(vec![self.piece(), rest.into()])
    }
}

fn limits(kind: Kind) -> (i128, i128) {
    match kind {
        Kind::Int32 | Kind::SInt32 | Kind::SFixed32 | Kind::Enum => (i32::MIN.into(), i32::MAX.into()),
        Kind::UInt32 | Kind::Fixed32 => (0, u32::MAX.into()),
        Kind::UInt64 | Kind::Fixed64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// The bits that stand for an integer of this kind on the wire.
fn bits(kind: Kind, value: i128) -> u64 {
    match kind {
        Kind::SInt32 | Kind::SInt64 => zigzag(value as i64),
        Kind::SFixed32 => u64::from(value as i32 as u32),
        _ => value as i64 as u64,
    }
}

#[inline]
fn fit(kind: Kind, value: i128, written: Written<'_>) -> Result<u64, Misfit> {
    let (low, high) = limits(kind);
    if (low..=high).contains(&value) {
        return Ok(bits(kind, value));
    }
    Err(written.refuse(format!(" is not between {low} and {high}")))
}

/// The wire bits of an integer from text.
pub fn integer_of_text(kind: Kind, text: &str) -> Result<u64, Misfit> {
    let written = Written::Text(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return fit(kind, text.parse().unwrap_or(i128::MAX), written);
    }
    if text.len() > MAX_NUMBER_CHARACTERS || !is_number(text) {
        return Err(written.refuse(" is not an integer"));
    }
    match integral(text) {
        Integral::Value(value) => fit(kind, value, written),
        Integral::No => Err(written.refuse(" is not an integer")),
        Integral::Huge => Err(written.refuse(" is out of range")),
    }
}

/// The wire bits of an integer from a JSON number.
#[inline]
pub fn integer_of_number(kind: Kind, number: Number<'_>) -> Result<u64, Misfit> {
    let written = Written::Json(number.text);
    if number.integer {
        // More digits than an i128 has are out of any range.
        return fit(kind, number.text.parse().unwrap_or(i128::MAX), written);
    }
    let value: f64 = number.text.parse().unwrap_or(f64::NAN);
    if !value.is_finite() || value.fract() != 0.0 {
        return Err(written.refuse(" is not an integer"));
    }
    fit(kind, value as i128, written) // saturates, far out of range
}

/// `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?`
fn is_number(text: &str) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.as_bytes();
    rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let whole = digits(rest);
    if whole == 0 {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let unsigned = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return (1..=9).contains(&unsigned.len()) && digits(unsigned) == unsigned.len();
    }
    rest.is_empty()
}

enum Integral {
    Value(i128),
    No,
    Huge,
}

/// The exact value of a number's text, should it be an integer of at most 21 digits.
fn integral(text: &str) -> Integral {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let negative = whole.starts_with('-');
    let digits: String = whole.trim_start_matches('-').chars().chain(fraction.chars()).collect();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Integral::Value(0);
    }
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX / 2) - fraction.len() as i64;
    if significant.len() as i64 - 1 + exponent > MAX_INTEGER_EXPONENT {
        return Integral::Huge;
    }
    let kept = significant.len() as i64 + exponent.min(0);
    if kept <= 0 {
        return Integral::No;
    }
    let (kept, dropped) = significant.split_at(kept as usize);
    if dropped.bytes().any(|byte| byte != b'0') {
        return Integral::No;
    }
    let value = kept.parse::<i128>().unwrap_or(i128::MAX).saturating_mul(10i128.pow(exponent.clamp(0, 30) as u32));
    Integral::Value(if negative { -value } else { value })
}

/// A double from text or, with `single`, the one that becomes a float.
pub fn double_of_text(text: &str, single: bool) -> Result<f64, Misfit> {
    let value = match text {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(f64::INFINITY),
        "-Infinity" => return Ok(f64::NEG_INFINITY),
        _ if text.len() > MAX_NUMBER_CHARACTERS || !is_number(text) => None,
        _ => text.parse().ok(),
    };
    let Some(value) = value else {
        return Err(Written::Text(text).refuse(" is not a number"));
    };
    finite(value, single, Written::Text(text))
}

#[inline]
pub fn double_of_number(number: Number<'_>, single: bool) -> Result<f64, Misfit> {
    if number.integer && number.text == "-0" {
        return Ok(0.0); // an integer, and integers have one zero; `-0.0` is the other
    }
    finite(number.text.parse().unwrap_or(f64::INFINITY), single, Written::Json(number.text))
}

#[inline]
fn finite(value: f64, single: bool, written: Written<'_>) -> Result<f64, Misfit> {
    if value.is_infinite() {
        return Err(Misfit::new("the number is too large for a double"));
    }
    if single && value.abs() >= FLOAT_END {
        return Err(written.refuse(" is too large for a float"));
    }
    Ok(value)
}

/// A boolean by name; `lenient` adds 1 and 0.
pub fn boolean_of_text(text: &str, lenient: bool) -> Result<u64, Misfit> {
    match text {
        "true" => Ok(1),
        "false" => Ok(0),
        "1" if lenient => Ok(1),
        "0" if lenient => Ok(0),
        _ => Err(Written::Text(text).refuse(" is neither true nor false")),
    }
}

/// A number of an enum from text: a name, or a declared number.
pub fn enum_of_text(of: &EnumType, text: &str) -> Result<u64, Misfit> {
    if let Some(&number) = of.numbers.get(text) {
        return Ok(number as i64 as u64);
    }
    let refused = || Written::Text(text).refuse(format!(" is no value of {}", of.full_name));
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !(1..=20).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let number: i32 = text.parse().map_err(|_| refused())?;
    of.name(number).map(|_| number as i64 as u64).ok_or_else(refused)
}

/// A number of an enum from a JSON number; an open enum takes those it does not declare.
pub fn enum_of_number(of: &EnumType, number: Number<'_>) -> Result<u64, Misfit> {
    let refused = || Written::Json(number.text).refuse(format!(" is no value of {}", of.full_name));
    let bits = integer_of_number(Kind::Enum, number).map_err(|_| refused())?;
    if of.closed && of.name(bits as i32).is_none() { Err(refused()) } else { Ok(bits) }
}

/// Any trailing bits are taken, as every other implementation takes them; padding has been cut off.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Appends the bytes that base64 text stands for.
pub fn octets_of_text(out: &mut Vec<u8>, text: &str) -> Result<(), Misfit> {
    let text = text.trim_end_matches('=');
    let start = out.len();
    let decoded = if text.bytes().any(|byte| byte == b'-' || byte == b'_') {
        let standard: Vec<u8> = text
            .bytes()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                _ => byte,
            })
            .collect();
        BASE64.decode_vec(standard, out)
    } else {
        BASE64.decode_vec(text, out)
    };
    decoded.map_err(|_| {
        out.truncate(start);
        Misfit::new("the text is not base64")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_of_any_form() {
        for (text, value) in
            [("1.0", 1), ("1e2", 100), ("-0", 0), ("12.50e1", 125), ("007", 7), ("0e999999999", 0), ("-5e0", -5)]
        {
            assert_eq!(integer_of_text(Kind::Int64, text), Ok(value as i64 as u64), "{text}");
        }
        assert_eq!(integer_of_text(Kind::Int64, "9007199254740993.0"), Ok(9_007_199_254_740_993));
        for text in ["", " 1", "+1", "1_0", "0x1", "1e", "1e-1", "1e999999999", "1e9999999999", "1.5", "1e-999999999"] {
            assert!(integer_of_text(Kind::Int64, text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_refused(text in r"-?[0-9]{0,30}(\.[0-9]{0,5})?([eE][+-]?[0-9]{0,10})?|.{0,9}") {
            let _ = (integer_of_text(Kind::UInt64, &text), double_of_text(&text, true), octets_of_text(&mut vec![], &text));
        }
    }
}

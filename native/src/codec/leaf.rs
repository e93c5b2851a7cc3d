//! Path and query text into one value: a scalar, or a well-known type whose form is text.
//!
//! Owns which types text can give. A value is its bytes on the wire, without tag or length, so that two values of a field are equal
//! when their bytes are - but for the zeros and NaNs of floats, which `same` knows.

use super::api::Api;
use super::misfit::{Misfit, Read, misfit};
use super::reader::Reader;
use super::scalars::octets_of_text;
use super::schema::{Field, Kind, MessageType, Special};
use super::special::{put_mask, put_time};
use super::times::{parse_duration, parse_timestamp};
use super::values::{put_bits, text_bits};
use super::wire::{LEN, put_tag, put_varint};

/// Whether text can give a value of this field (of a map: of its values).
pub fn is_textual(field: &Field, schema: &super::schema::Schema) -> bool {
    match field.message {
        None => true,
        Some(of) => !matches!(schema.get(of).special, Special::No | Special::Any),
    }
}

/// The value that text says. `field` is the one that takes it; of a map, the entry's value.
pub fn read(api: &Api, field: &Field, text: &str) -> Read<Vec<u8>> {
    let mut out = Vec::new();
    match field.message.map(|of| api.schema.get(of)) {
        Some(of) => special(api, of, text, &mut out)?,
        None => scalar(field, text, api.options.lenient_bools, &mut out)?,
    }
    Ok(out)
}

fn scalar(field: &Field, text: &str, lenient: bool, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match field.kind {
        Kind::String => out.extend_from_slice(text.as_bytes()),
        Kind::Bytes => octets_of_text(out, text)?,
        kind => put_bits(out, kind, text_bits(field, text, lenient)?),
    }
    Ok(())
}

fn special(api: &Api, of: &MessageType, text: &str, out: &mut Vec<u8>) -> Read<()> {
    match of.special {
        Special::Timestamp => put_time(out, parse_timestamp(text)?),
        Special::Duration => put_time(out, parse_duration(text)?),
        Special::FieldMask => put_mask(out, text)?,
        Special::Wrapper => return wrapper(api, of, text, out),
        Special::Struct | Special::Value | Special::ListValue => {
            let mut reader = Reader::new(text, api.schema, api.options, api.loader);
            reader.whole(|reader| reader.message(of, 1, None))?;
            *out = reader.out;
        }
        Special::Any | Special::No => return misfit("is a message: it cannot be given as text"),
    }
    Ok(())
}

fn wrapper(api: &Api, of: &MessageType, text: &str, out: &mut Vec<u8>) -> Read<()> {
    let Some(value) = of.field(1) else {
        return misfit("has no value");
    };
    let mut bytes = Vec::new();
    // A StringValue in a query may be bare or a JSON string; both are in use.
    if value.kind == Kind::String && text.len() >= 2 && text.starts_with('"') && text.ends_with('"') {
        let mut reader = Reader::new(text, api.schema, api.options, api.loader);
        reader.whole(|reader| {
            reader.must_be_string()?;
            reader.cursor.string_into(&mut reader.out)
        })?;
        bytes = reader.out;
    } else {
        scalar(value, text, api.options.lenient_bools, &mut bytes)?;
    }
    super::overlay::put_value(out, value, &bytes);
    Ok(())
}

/// A map entry's content: its key from text, and a value.
pub fn entry(key: &Field, key_bits: Option<u64>, text: &str, value: &Field, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match key_bits {
        Some(bits) => {
            put_tag(&mut out, 1, super::values::wire_type(key.kind));
            put_bits(&mut out, key.kind, bits);
        }
        None => {
            put_tag(&mut out, 1, LEN);
            put_varint(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
    }
    let wire = super::values::wire_type(value.kind);
    put_tag(&mut out, 2, wire);
    if wire == LEN {
        put_varint(&mut out, bytes.len() as u64);
    }
    out.extend_from_slice(bytes);
    out
}

/// Whether a number's bytes are those of zero (of a float: of positive zero).
pub fn is_default(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Whether two values of a field are equal; NaN is equal to itself here.
pub fn same(field: &Field, one: &[u8], other: &[u8]) -> bool {
    let equal = |one: f64, other: f64| one == other || (one.is_nan() && other.is_nan());
    match (
        field.kind,
        one.first_chunk::<8>(),
        other.first_chunk::<8>(),
        one.first_chunk::<4>(),
        other.first_chunk::<4>(),
    ) {
        (Kind::Double, Some(one), Some(other), _, _) => equal(f64::from_le_bytes(*one), f64::from_le_bytes(*other)),
        (Kind::Float, _, _, Some(one), Some(other)) => {
            equal(f32::from_le_bytes(*one).into(), f32::from_le_bytes(*other).into())
        }
        _ => one == other,
    }
}

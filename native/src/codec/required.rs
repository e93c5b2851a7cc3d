//! Required fields (proto2, editions) that a finished message lacks.
//!
//! Owns the path by which the first one is named. Looked for only in types that reach a required field, once the message is whole:
//! what is required may come from the path, the query or the body.

use super::misfit::{Read, misfit, shortened};
use super::schema::{Field, Kind, MessageType, Schema};
use super::values::wire_type;
use super::wire::{LEN, MAX_NESTING, read_i32, read_i64, read_span, read_tag, read_varint, skip, unzigzag};

/// The path of the first required field that is missing in these bytes, which are ours and canonical.
pub fn missing(schema: &Schema, of: &MessageType, bytes: &[u8]) -> Read<Option<String>> {
    if !of.requires {
        return Ok(None);
    }
    let mut present = vec![false; of.fields.len()];
    let mut inner = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (number, wire) = read_tag(bytes, &mut at)?;
        let Some(index) = of.index_of(number) else {
            return misfit("an unknown field");
        };
        present[index] = true;
        if wire == LEN {
            let span = read_span(bytes, &mut at)?;
            if of.fields[index].is_message() {
                inner.push((index, span));
            }
        } else {
            skip(bytes, &mut at, number, wire, MAX_NESTING)?;
        }
    }
    let lacking = of.fields.iter().zip(present).filter(|(field, present)| field.required && !present);
    if let Some((field, _)) = lacking.min_by_key(|(field, _)| field.declared) {
        return Ok(Some(field.name.clone()));
    }
    let mut count = (usize::MAX, 0usize);
    for (index, (start, end)) in inner {
        count = if count.0 == index { (index, count.1 + 1) } else { (index, 0) };
        let field = &of.fields[index];
        let Some(of) = field.message.map(|of| schema.get(of)) else {
            continue;
        };
        let found = if field.map {
            of_entry(schema, field, of, &bytes[start..end])?
        } else {
            let place = if field.repeated { format!("{}[{}]", field.name, count.1) } else { field.name.clone() };
            missing(schema, of, &bytes[start..end])?.map(|path| format!("{place}.{path}"))
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn of_entry(schema: &Schema, field: &Field, entry: &MessageType, bytes: &[u8]) -> Read<Option<String>> {
    let Some(of) = entry.field(2).and_then(|value| value.message).map(|of| schema.get(of)) else {
        return Ok(None);
    };
    let (mut key, mut value, mut at) = (String::new(), (0, 0), 0);
    while at < bytes.len() {
        let (number, _) = read_tag(bytes, &mut at)?;
        if number == 2 {
            value = read_span(bytes, &mut at)?;
        } else if let Some(field) = entry.field(1) {
            key = spelled(field, bytes, &mut at)?;
        }
    }
    let path = missing(schema, of, &bytes[value.0..value.1])?;
    Ok(path.map(|path| format!("{}[{}].{path}", field.name, shortened(&key))))
}

/// A map key as a path names it.
fn spelled(field: &Field, bytes: &[u8], at: &mut usize) -> Read<String> {
    Ok(match (wire_type(field.kind), field.kind) {
        (LEN, _) => {
            let (start, end) = read_span(bytes, at)?;
            let text = String::from_utf8_lossy(&bytes[start..end]);
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        (super::wire::I32, Kind::SFixed32) => (read_i32(bytes, at)? as i32).to_string(),
        (super::wire::I32, _) => read_i32(bytes, at)?.to_string(),
        (super::wire::I64, Kind::SFixed64) => (read_i64(bytes, at)? as i64).to_string(),
        (super::wire::I64, _) => read_i64(bytes, at)?.to_string(),
        (_, Kind::SInt32 | Kind::SInt64) => unzigzag(read_varint(bytes, at)?).to_string(),
        (_, Kind::Int32 | Kind::Int64) => (read_varint(bytes, at)? as i64).to_string(),
        (_, Kind::Bool) => (read_varint(bytes, at)? != 0).to_string(),
        _ => read_varint(bytes, at)?.to_string(),
    })
}

//! The update mask of a PATCH: which fields of the resource the JSON body speaks of.
//!
//! Owns the walk: singular messages are entered, everything with a form of its own (map, repeated field, Any, Struct, Value and the
//! other well-known types) is one path. Source: <https://google.aip.dev/134>, grpc-gateway's FieldMaskFromRequestBody.

use super::cursor::Cursor;
use super::explain::skip;
use super::misfit::Read;
use super::schema::{MessageType, Schema, Special};
use super::wire::{LEN, put_tag, put_varint};

/// The content of a FieldMask that names what a body (already read, so it is JSON and fits) speaks of; None when it is no object.
pub fn of_body(schema: &Schema, resource: &MessageType, text: &str) -> Read<Option<Vec<u8>>> {
    let mut cursor = Cursor::new(text.as_bytes());
    if cursor.next() != b'{' {
        return Ok(None);
    }
    let (mut out, mut path) = (Vec::new(), String::new());
    walk(schema, resource, &mut cursor, &mut path, &mut out)?;
    Ok(Some(out))
}

fn walk(schema: &Schema, of: &MessageType, cursor: &mut Cursor<'_>, path: &mut String, out: &mut Vec<u8>) -> Read<()> {
    cursor.expect(b'{')?;
    if cursor.next() == b'}' {
        cursor.at += 1;
        return Ok(());
    }
    let above = path.len();
    loop {
        let key = cursor.string()?;
        cursor.expect(b':')?;
        cursor.next();
        match of.keys.find(key.as_bytes()).map(|slot| &of.fields[of.keys.keys[slot as usize].field as usize]) {
            None => skip(cursor).map(drop)?,
            Some(field) => {
                path.push_str(&field.name);
                let inner = field.message.map(|id| schema.get(id)).filter(|of| of.special == Special::No);
                match inner {
                    Some(of) if !field.repeated && has_members(cursor) => {
                        path.push('.');
                        walk(schema, of, cursor, path, out)?;
                    }
                    _ => {
                        put_tag(out, 1, LEN);
                        put_varint(out, path.len() as u64);
                        out.extend_from_slice(path.as_bytes());
                        skip(cursor)?;
                    }
                }
                path.truncate(above);
            }
        }
        if !cursor.more(b'}')? {
            return Ok(());
        }
    }
}

fn has_members(cursor: &Cursor<'_>) -> bool {
    let mut inside = cursor.clone();
    inside.expect(b'{').is_ok() && inside.next() != b'}'
}

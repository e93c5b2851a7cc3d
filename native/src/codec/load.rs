//! Types as Python tells them, into tables.
//!
//! Owns the form they are told in (`edge/wire/native/tables.py` writes it): names for types and enums, flags for what protobuf has
//! resolved. A batch is closed: what its types refer to is in it or has been told before.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::keys::{Key, KeyTable};
use super::schema::{EnumType, Field, Kind, MessageType, Schema, Special, TypeId};
use super::text::put_string;

/// Full name, closed, every spelling and its number, each number with its name and short name.
pub type RawEnum = (String, bool, Vec<(String, i32)>, Vec<(i32, String, String)>);

/// Name, JSON name, number, type, flags, oneof (-1: none), message, enum, default number, place as declared.
pub type RawField = (String, String, u32, u8, u32, i32, String, String, i32, u16);

/// Full name, fields by number, spellings (key, field, whether it is the proto name of a field with another JSON name), oneofs, the
/// text of the refusal for the group it reaches (empty: none), whether it reaches a required field.
pub type RawType = (String, Vec<RawField>, Vec<(String, u16, bool)>, Vec<String>, String, bool);

const REPEATED: u32 = 1;
const PACKED: u32 = 1 << 1;
const PRESENCE: u32 = 1 << 2;
const REQUIRED: u32 = 1 << 3;
const UTF8: u32 = 1 << 4;
const HIDDEN: u32 = 1 << 5;
const NULLABLE: u32 = 1 << 6;
const TAKES_NULL: u32 = 1 << 7;
const MAP: u32 = 1 << 8;

const KINDS: [Kind; 18] = [
    Kind::Double,
    Kind::Float,
    Kind::Int64,
    Kind::UInt64,
    Kind::Int32,
    Kind::Fixed64,
    Kind::Fixed32,
    Kind::Bool,
    Kind::String,
    Kind::Group,
    Kind::Message,
    Kind::Bytes,
    Kind::UInt32,
    Kind::Enum,
    Kind::SFixed32,
    Kind::SFixed64,
    Kind::SInt32,
    Kind::SInt64,
];

/// Adds a batch of types to the schema.
pub fn add(schema: &Schema, enums: Vec<RawEnum>, types: Vec<RawType>) -> PyResult<()> {
    let enums: HashMap<String, Arc<EnumType>> = enums.into_iter().map(enum_type).collect();
    let names: Vec<String> = types.iter().map(|raw| raw.0.clone()).collect();
    schema.add(&names, |ids| types.into_iter().map(|raw| message_type(raw, ids, &enums)).collect())
}

fn enum_type((full_name, closed, numbers, mut names): RawEnum) -> (String, Arc<EnumType>) {
    names.sort();
    let null = full_name == "google.protobuf.NullValue";
    let made = EnumType { full_name: full_name.clone(), closed, null, numbers: numbers.into_iter().collect(), names };
    (full_name, Arc::new(made))
}

fn message_type(
    raw: RawType,
    ids: &HashMap<String, TypeId>,
    enums: &HashMap<String, Arc<EnumType>>,
) -> PyResult<MessageType> {
    let (full_name, fields, spellings, oneofs, group, requires) = raw;
    if fields.len() >= u16::MAX as usize
        || spellings.len() >= u16::MAX as usize
        || spellings.iter().any(|spelling| spelling.1 as usize >= fields.len())
    {
        return Err(PyValueError::new_err(format!("{full_name} has too many fields")));
    }
    let slots: HashMap<&str, u16> =
        spellings.iter().enumerate().map(|(slot, spelling)| (spelling.0.as_str(), slot as u16)).collect();
    let fields = fields.into_iter().map(|raw| field(raw, ids, enums, &slots)).collect::<PyResult<Vec<_>>>()?;
    let keys = spellings
        .iter()
        .map(|(text, field, is_name)| Key { text: text.as_bytes().into(), field: *field, is_name: *is_name })
        .collect();
    let special = special(&full_name);
    let mut made = MessageType::new(full_name, special, fields, oneofs, KeyTable::new(keys));
    made.group = (!group.is_empty()).then_some(group);
    made.requires = requires;
    Ok(made)
}

fn field(
    raw: RawField,
    ids: &HashMap<String, TypeId>,
    enums: &HashMap<String, Arc<EnumType>>,
    slots: &HashMap<&str, u16>,
) -> PyResult<Field> {
    let (name, json_name, number, kind, flags, oneof, message, enumerated, default_number, declared) = raw;
    let unknown = |what: &str| PyValueError::new_err(format!("{name}: {what} is not known"));
    let kind = KINDS.get(usize::from(kind).wrapping_sub(1)).copied().ok_or_else(|| unknown("its type"))?;
    let message = match message.as_str() {
        "" => None,
        full_name => Some(*ids.get(full_name).ok_or_else(|| unknown(full_name))?),
    };
    let enum_type = match enumerated.as_str() {
        "" => None,
        full_name => Some(enums.get(full_name).ok_or_else(|| unknown(full_name))?.clone()),
    };
    let hidden = flags & HIDDEN != 0;
    let slot = |text: &str| {
        if hidden { u16::MAX } else { slots.get(text).copied().unwrap_or(u16::MAX) }
    };
    let labels = [&json_name, &name].map(|text| {
        let mut label = Vec::new();
        put_string(&mut label, text.as_bytes());
        label
    });
    Ok(Field {
        number,
        kind,
        repeated: flags & REPEATED != 0,
        packed: flags & PACKED != 0,
        presence: flags & PRESENCE != 0,
        required: flags & REQUIRED != 0,
        utf8: flags & UTF8 != 0,
        oneof: u16::try_from(oneof).ok(),
        message,
        enum_type,
        hidden,
        nullable: flags & NULLABLE != 0,
        takes_null: flags & TAKES_NULL != 0,
        map: flags & MAP != 0,
        default_number,
        declared,
        labels,
        json_slot: slot(&json_name),
        name_slot: slot(&name),
        name,
        json_name,
    })
}

fn special(full_name: &str) -> Special {
    match full_name.strip_prefix("google.protobuf.") {
        Some("Timestamp") => Special::Timestamp,
        Some("Duration") => Special::Duration,
        Some("FieldMask") => Special::FieldMask,
        Some("Struct") => Special::Struct,
        Some("Value") => Special::Value,
        Some("ListValue") => Special::ListValue,
        Some("Any") => Special::Any,
        Some(
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" | "BoolValue"
            | "StringValue" | "BytesValue",
        ) => Special::Wrapper,
        _ => Special::No,
    }
}

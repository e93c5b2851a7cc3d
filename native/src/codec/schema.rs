//! What is known of an API's messages, as tables made for reading and printing.
//!
//! Owns the identity of types: an index into an append-only list, so that types refer to each other in circles without owning each
//! other, and a reload frees them all at once. The tables come from descriptors that protobuf itself resolved (`load`), so that
//! presence, packing, UTF-8 checks and closed enums are what editions and defaults come to, not a second reading of those rules.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::keys::KeyTable;

pub type TypeId = u32;

/// FieldDescriptorProto.Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Double,
    Float,
    Int64,
    UInt64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Group,
    Message,
    Bytes,
    UInt32,
    Enum,
    SFixed32,
    SFixed64,
    SInt32,
    SInt64,
}

/// The well-known types with a JSON form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    No,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    ListValue,
    Any,
    Wrapper,
}

#[derive(Debug)]
pub struct EnumType {
    pub full_name: String,
    pub closed: bool,
    pub null: bool,
    /// Every spelling that is read.
    pub numbers: HashMap<String, i32>,
    /// By number, sorted: the printed name and the short one.
    pub names: Vec<(i32, String, String)>,
}

impl EnumType {
    pub fn name(&self, number: i32) -> Option<&(i32, String, String)> {
        self.names.binary_search_by_key(&number, |entry| entry.0).ok().map(|index| &self.names[index])
    }
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub json_name: String,
    pub number: u32,
    pub kind: Kind,
    pub repeated: bool,
    pub packed: bool,
    pub presence: bool,
    pub required: bool,
    /// Its place among the type's fields as declared.
    pub declared: u16,
    /// Strings: whether bytes that are not UTF-8 make the message malformed.
    pub utf8: bool,
    /// The oneof shared with other fields.
    pub oneof: Option<u16>,
    /// Of messages and groups; of a map the entry type.
    pub message: Option<TypeId>,
    pub enum_type: Option<Arc<EnumType>>,
    /// An extension: decoded, never read from or printed to JSON.
    pub hidden: bool,
    /// Printed as null when absent, where nulls are printed.
    pub nullable: bool,
    pub takes_null: bool,
    pub map: bool,
    /// Of an enum that is absent.
    pub default_number: i32,
    /// `"name"` as printed, by JSON name and by proto name.
    pub labels: [Vec<u8>; 2],
    /// The slot of the JSON name, and of the proto name, in the type's keys.
    pub json_slot: u16,
    pub name_slot: u16,
}

impl Field {
    pub fn is_message(&self) -> bool {
        self.message.is_some()
    }

    /// Whether the two spellings of its name differ.
    pub fn has_two_names(&self) -> bool {
        self.json_slot != self.name_slot
    }
}

#[derive(Debug)]
pub struct MessageType {
    pub full_name: String,
    pub special: Special,
    /// In the order of their numbers, which is the order of printing.
    pub fields: Vec<Field>,
    pub oneofs: Vec<String>,
    pub keys: KeyTable,
    /// Why it has no JSON form, if it reaches a group: the text of the refusal.
    pub group: Option<String>,
    /// Whether a required field is in reach.
    pub requires: bool,
    /// Whether any field has two names.
    pub odd_names: bool,
    by_number: Vec<u16>,
}

const NONE: u16 = u16::MAX;
const DENSE: usize = 256;

impl MessageType {
    pub fn new(full_name: String, special: Special, fields: Vec<Field>, oneofs: Vec<String>, keys: KeyTable) -> Self {
        let mut by_number = vec![NONE; fields.last().map_or(0, |last| (last.number as usize + 1).min(DENSE))];
        for (index, field) in fields.iter().enumerate() {
            if let Some(slot) = by_number.get_mut(field.number as usize) {
                *slot = index as u16;
            }
        }
        let odd_names = fields.iter().any(|field| !field.hidden && field.has_two_names());
        Self { full_name, special, fields, oneofs, keys, group: None, requires: false, odd_names, by_number }
    }

    /// The field of a number, hidden ones too.
    #[inline]
    pub fn index_of(&self, number: u32) -> Option<usize> {
        match self.by_number.get(number as usize) {
            Some(&NONE) => None,
            Some(&index) => Some(index as usize),
            None if (number as usize) < DENSE => None,
            None => self.fields.binary_search_by_key(&number, |field| field.number).ok(),
        }
    }

    pub fn field(&self, number: u32) -> Option<&Field> {
        self.index_of(number).map(|index| &self.fields[index])
    }

    /// The visible field of this proto name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| !field.hidden && field.name == name)
    }
}

#[derive(Default)]
pub struct Schema {
    types: boxcar::Vec<MessageType>,
    names: RwLock<HashMap<String, TypeId>>,
}

impl Schema {
    /// A type by its index. Indices come from this schema only.
    #[inline]
    pub fn get(&self, id: TypeId) -> &MessageType {
        &self.types[id as usize]
    }

    pub fn find(&self, full_name: &str) -> Option<TypeId> {
        self.names.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(full_name).copied()
    }

    /// Adds types that may refer to each other: `make` gets the index of each name, known or new.
    pub fn add<E>(
        &self,
        names: &[String],
        make: impl FnOnce(&HashMap<String, TypeId>) -> Result<Vec<MessageType>, E>,
    ) -> Result<(), E> {
        let mut known = self.names.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = self.types.count();
        let mut next = known.clone();
        for (offset, name) in names.iter().enumerate() {
            next.insert(name.clone(), (first + offset) as TypeId);
        }
        for made in make(&next)? {
            self.types.push(made);
        }
        *known = next;
        Ok(())
    }
}

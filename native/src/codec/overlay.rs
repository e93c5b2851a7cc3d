//! What path, query and form bind, kept apart from the body until both are written as one message.
//!
//! Owns the merge: into the body's bytes where it has the same message, so that no message is ever split in two on the wire (some
//! decoders keep only the second). Fields come in the order of their numbers. What is looked up once per parameter is found by trees,
//! not by a walk over what came before: a form may have a million parameters.

use std::collections::{BTreeMap, BTreeSet};

use super::leaf::is_default;
use super::schema::{Field, MessageType, Schema};
use super::values::wire_type;
use super::wire::{LEN, MAX_NESTING, Malformed, close, open, put_tag, put_varint, read_span, read_tag, skip};

/// The bound fields of one message.
#[derive(Default)]
pub struct Node {
    items: Vec<Item>,
    /// By field: its first item.
    places: BTreeMap<usize, usize>,
    /// The keys of map entries, by field.
    keys: BTreeSet<(usize, EntryKey)>,
}

struct Item {
    /// The field's index in its type.
    field: usize,
    what: What,
}

pub enum What {
    /// A value's bytes: without tag or length.
    Value(Vec<u8>),
    /// A map entry's content.
    Entry(Vec<u8>),
    Message(Node),
}

/// A map entry's key: its number as in `maps::ordered`, or its text.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
pub enum EntryKey {
    Number(u64),
    Text(String),
}

impl Node {
    /// The node of a message field, made if there is none.
    pub fn child(&mut self, field: usize) -> &mut Node {
        let found = self.places.get(&field).copied();
        let place = found.unwrap_or_else(|| {
            self.add(field, What::Message(Node::default()));
            self.items.len() - 1
        });
        match &mut self.items[place].what {
            What::Message(node) => node,
            _ => unreachable!("the place of a message"),
        }
    }

    pub fn existing(&self, field: usize) -> Option<&Node> {
        match &self.items[*self.places.get(&field)?].what {
            What::Message(node) => Some(node),
            _ => None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn has(&self, field: usize) -> bool {
        self.places.contains_key(&field)
    }

    /// The fields that are bound, each once.
    pub fn fields(&self) -> impl Iterator<Item = usize> {
        self.places.keys().copied()
    }

    pub fn add(&mut self, field: usize, what: What) {
        self.places.entry(field).or_insert(self.items.len());
        self.items.push(Item { field, what });
    }

    /// Notes the key of a map entry; false when the map has it already.
    pub fn first_time(&mut self, field: usize, key: EntryKey) -> bool {
        self.keys.insert((field, key))
    }
}

/// Writes the message that `wire` (ours, canonical) and `node` are together.
pub fn merge(out: &mut Vec<u8>, schema: &Schema, of: &MessageType, wire: &[u8], node: &Node) -> Result<(), Malformed> {
    if node.items.is_empty() {
        out.extend_from_slice(wire);
        return Ok(());
    }
    let mut order: Vec<&Item> = node.items.iter().collect();
    order.sort_by_key(|item| item.field);
    let mut rest = &order[..];
    let (mut at, mut copied) = (0, 0);
    while at < wire.len() {
        let start = at;
        let (number, kind) = read_tag(wire, &mut at)?;
        let index = of.index_of(number).ok_or(Malformed("an unknown field"))?;
        if rest.first().is_some_and(|item| item.field < index) {
            out.extend_from_slice(&wire[copied..start]);
            copied = start;
            let (before, after) = rest.split_at(rest.partition_point(|item| item.field < index));
            put_items(out, schema, of, before)?;
            rest = after;
        }
        match rest.first().map(|item| (item.field, &item.what)) {
            Some((field, What::Message(child))) if field == index => {
                let (from, to) = read_span(wire, &mut at)?;
                out.extend_from_slice(&wire[copied..start]);
                copied = at;
                put_message(out, schema, &of.fields[index], &wire[from..to], child)?;
                rest = &rest[1..];
            }
            _ => skip(wire, &mut at, number, kind, MAX_NESTING)?,
        }
    }
    out.extend_from_slice(&wire[copied..]);
    put_items(out, schema, of, rest)
}

fn put_message(out: &mut Vec<u8>, schema: &Schema, field: &Field, wire: &[u8], node: &Node) -> Result<(), Malformed> {
    let Some(of) = field.message else {
        return Err(Malformed("a scalar with fields"));
    };
    put_tag(out, field.number, LEN);
    let mark = open(out);
    merge(out, schema, schema.get(of), wire, node)?;
    close(out, mark);
    Ok(())
}

fn put_items(out: &mut Vec<u8>, schema: &Schema, of: &MessageType, items: &[&Item]) -> Result<(), Malformed> {
    let mut rest = items;
    while let Some(first) = rest.first() {
        let field = &of.fields[first.field];
        if field.packed {
            let count = rest.iter().take_while(|item| item.field == first.field).count();
            put_tag(out, field.number, LEN);
            let mark = open(out);
            for item in &rest[..count] {
                if let What::Value(bytes) = &item.what {
                    out.extend_from_slice(bytes);
                }
            }
            close(out, mark);
            rest = &rest[count..];
            continue;
        }
        match &first.what {
            What::Message(node) => put_message(out, schema, field, &[], node)?,
            What::Value(bytes) => put_value(out, field, bytes),
            What::Entry(bytes) => put_delimited(out, field.number, bytes),
        }
        rest = &rest[1..];
    }
    Ok(())
}

/// A single value with its tag; nothing for a default whose presence cannot be told.
pub fn put_value(out: &mut Vec<u8>, field: &Field, bytes: &[u8]) {
    if wire_type(field.kind) == LEN {
        if !bytes.is_empty() || field.presence || field.repeated {
            put_delimited(out, field.number, bytes);
        }
    } else if field.presence || field.repeated || !is_default(bytes) {
        put_tag(out, field.number, wire_type(field.kind));
        out.extend_from_slice(bytes);
    }
}

fn put_delimited(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, LEN);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The content of a singular message field in these bytes (ours: it is there once at most).
pub fn content<'w>(of: &MessageType, wire: &'w [u8], field: usize) -> Result<&'w [u8], Malformed> {
    let mut at = 0;
    while at < wire.len() {
        let (number, kind) = read_tag(wire, &mut at)?;
        if of.index_of(number) == Some(field) {
            let (start, end) = read_span(wire, &mut at)?;
            return Ok(&wire[start..end]);
        }
        skip(wire, &mut at, number, kind, MAX_NESTING)?;
    }
    Ok(&[])
}

/// The member of a oneof that these bytes set.
pub fn member(of: &MessageType, wire: &[u8], oneof: u16) -> Result<Option<usize>, Malformed> {
    let (mut at, mut found) = (0, None);
    while at < wire.len() {
        let (number, kind) = read_tag(wire, &mut at)?;
        let index = of.index_of(number);
        if index.is_some_and(|index| of.fields[index].oneof == Some(oneof)) {
            found = index;
        }
        skip(wire, &mut at, number, kind, MAX_NESTING)?;
    }
    Ok(found)
}

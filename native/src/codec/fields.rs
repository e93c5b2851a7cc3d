//! The fields of one message, found in its bytes: what is there, in the order of printing, after merging as a decoder would.
//!
//! Owns protobuf's rules for what comes twice: the last scalar wins, messages merge, the last member of a oneof clears the others, and
//! an unknown number of a closed enum is an unknown field. What is dropped is checked all the same: a message is decodable or it is not.
//! Source: <https://protobuf.dev/programming-guides/encoding/#last-one-wins>.

use super::printer::{Print, Printer};
use super::schema::{EnumType, Field, Kind, MessageType};
use super::values::wire_type;
use super::wire::{
    I32, I64, LEN, Malformed, START_GROUP, TOO_DEEP, VARINT, read_i32, read_i64, read_span, read_tag, read_varint, skip,
};

/// A field's value in a message: a number's bits, or where its bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence {
    pub field: u16,
    /// Whether `bits` are a span: of a string, bytes, message, group, map entry or packed values.
    pub span: bool,
    pub bits: u64,
}

impl Occurrence {
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        (self.bits >> 32) as usize..(self.bits & 0xFFFF_FFFF) as usize
    }
}

impl Printer<'_> {
    /// Puts the fields of a message on the stack `found`.
    pub fn find(&mut self, of: &MessageType, bytes: &[u8], nesting: u32) -> Print<()> {
        let base = self.found.len();
        let (mut at, mut last, mut plain, mut oneofs) = (0, 0u16, true, 0u64);
        self.met_unknown = false;
        while at < bytes.len() {
            let (number, wire) = read_tag(bytes, &mut at)?;
            let Some(index) = of.index_of(number) else {
                skip(bytes, &mut at, number, wire, nesting)?;
                self.met_unknown = true;
                continue;
            };
            let field = &of.fields[index];
            let Some(occurrence) = read_value(field, index, number, bytes, &mut at, wire, nesting)? else {
                self.met_unknown = true;
                continue;
            };
            if let Some(oneof) = field.oneof {
                let bit = 1 << (oneof % 64);
                plain &= oneofs & bit == 0;
                oneofs |= bit;
            }
            let index = index as u16;
            plain &= last < index || self.found.len() == base || (last == index && field.repeated);
            last = index;
            self.found.push(occurrence);
        }
        if !plain {
            self.settle(of, base, bytes, nesting)?;
        }
        Ok(())
    }

    /// Drops what a later occurrence replaces, and sorts the rest by field.
    #[cold]
    fn settle(&mut self, of: &MessageType, base: usize, bytes: &[u8], nesting: u32) -> Print<()> {
        let mut seen = vec![false; of.fields.len()];
        // Of each oneof: the member that came last and, once another is met on the way back, that all before is cleared.
        let mut oneofs = vec![(None, false); of.oneofs.len()];
        let mut kept = Vec::with_capacity(self.found.len() - base);
        for occurrence in self.found.split_off(base).into_iter().rev() {
            let index = occurrence.field as usize;
            let field = &of.fields[index];
            let mut dropped = !field.repeated && !field.is_message() && std::mem::replace(&mut seen[index], true);
            if let Some((member, cleared)) = field.oneof.and_then(|oneof| oneofs.get_mut(oneof as usize)) {
                *cleared |= *member.get_or_insert(index) != index;
                dropped |= *cleared;
            }
            if dropped && !self.sound {
                check_value(self.schema, field, bytes, occurrence, nesting)?;
            } else if !dropped {
                kept.push(occurrence);
            }
        }
        kept.reverse();
        kept.sort_by_key(|occurrence| occurrence.field);
        self.found.append(&mut kept);
        Ok(())
    }

    /// Checks the occurrences of a field that is not printed.
    pub fn check_run(&self, field: &Field, bytes: &[u8], run: (usize, usize), nesting: u32) -> Print<()> {
        for &occurrence in &self.found[run.0..run.1] {
            check_value(self.schema, field, bytes, occurrence, nesting)?;
        }
        Ok(())
    }
}

/// The value of a known field whose tag has been read; None when it is unknown after all: skipped.
#[inline]
fn read_value(
    field: &Field,
    index: usize,
    number: u32,
    bytes: &[u8],
    at: &mut usize,
    wire: u8,
    nesting: u32,
) -> Result<Option<Occurrence>, Malformed> {
    let expected = wire_type(field.kind);
    let packed = wire == LEN && field.repeated && matches!(expected, VARINT | I32 | I64);
    if wire != expected && !packed {
        skip(bytes, at, number, wire, nesting)?;
        return Ok(None);
    }
    let bits = match wire {
        VARINT => whole(field.kind, read_varint(bytes, at)?),
        I64 => read_i64(bytes, at)?,
        I32 => read_i32(bytes, at)?.into(),
        START_GROUP => {
            let start = *at;
            skip(bytes, at, number, wire, nesting)?;
            span(start, *at)
        }
        _ => {
            let (start, end) = read_span(bytes, at)?;
            span(start, end)
        }
    };
    let is_span = matches!(wire, LEN | START_GROUP);
    if !is_span && field.enum_type.as_ref().is_some_and(|of| is_unknown(of, bits)) {
        return Ok(None);
    }
    Ok(Some(Occurrence { field: index as u16, span: is_span, bits }))
}

/// The bits of a varint that its kind has: those past the 32nd of a short integer do not count.
#[inline]
pub fn whole(kind: Kind, bits: u64) -> u64 {
    match kind {
        Kind::Int32 | Kind::Enum => bits as i32 as i64 as u64,
        Kind::UInt32 | Kind::SInt32 => bits & 0xFFFF_FFFF,
        Kind::Bool => u64::from(bits != 0),
        _ => bits,
    }
}

fn span(start: usize, end: usize) -> u64 {
    (start as u64) << 32 | end as u64
}

/// Whether a closed enum does not declare the number of these bits.
#[inline]
pub fn is_unknown(of: &EnumType, bits: u64) -> bool {
    of.closed && of.name(bits as i32).is_none()
}

/// Refuses a value that a decoder would not take.
pub fn check_value(
    schema: &super::schema::Schema,
    field: &Field,
    bytes: &[u8],
    occurrence: Occurrence,
    nesting: u32,
) -> Result<(), Malformed> {
    if !occurrence.span {
        return Ok(());
    }
    let value = &bytes[occurrence.range()];
    match (field.kind, field.message) {
        (_, Some(of)) => {
            let nesting = nesting.checked_sub(1).ok_or(TOO_DEEP)?;
            check(schema, schema.get(of), value, nesting, field.kind == Kind::Group, field.number)
        }
        (Kind::String, _) if field.utf8 => check_utf8(value),
        (Kind::String | Kind::Bytes, _) => Ok(()),
        (kind, _) => {
            let mut at = 0;
            while at < value.len() {
                skip(value, &mut at, field.number, wire_type(kind), 0)?;
            }
            Ok(())
        }
    }
}

pub fn check_utf8(text: &[u8]) -> Result<(), Malformed> {
    std::str::from_utf8(text).map(drop).map_err(|_| Malformed("a string is not UTF-8"))
}

/// Refuses bytes that are no message of this type. A group's bytes end with its end tag.
pub fn check(
    schema: &super::schema::Schema,
    of: &MessageType,
    bytes: &[u8],
    nesting: u32,
    group: bool,
    outer: u32,
) -> Result<(), Malformed> {
    let mut at = 0;
    while at < bytes.len() {
        let (number, wire) = read_tag(bytes, &mut at)?;
        if group && wire == super::wire::END_GROUP && number == outer && at == bytes.len() {
            return Ok(());
        }
        let Some(index) = of.index_of(number) else {
            skip(bytes, &mut at, number, wire, nesting)?;
            continue;
        };
        let field = &of.fields[index];
        if let Some(occurrence) = read_value(field, index, number, bytes, &mut at, wire, nesting)? {
            check_value(schema, field, bytes, occurrence, nesting)?;
        }
    }
    Ok(())
}

//! From JSON text straight to wire bytes: single scalars and arrays.
//!
//! Owns what a field's value may be, and that a default is written only where its presence can be told.

use super::misfit::{Misfit, Read, at, misfit};
use super::reader::Reader;
use super::scalars::{
    boolean_of_text, double_of_number, double_of_text, enum_of_number, enum_of_text, integer_of_number,
    integer_of_text, octets_of_text,
};
use super::schema::{Field, Kind};
use super::text::run_end;
use super::wire::{I32, I64, LEN, VARINT, close, open, put_tag, put_varint};

/// The wire type of a kind's single value.
#[inline]
pub fn wire_type(kind: Kind) -> u8 {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::SFixed64 => I64,
        Kind::Float | Kind::Fixed32 | Kind::SFixed32 => I32,
        Kind::String | Kind::Bytes | Kind::Message => LEN,
        Kind::Group => super::wire::START_GROUP,
        _ => VARINT,
    }
}

/// Writes a number's bits as its kind has them on the wire.
#[inline]
pub fn put_bits(out: &mut Vec<u8>, kind: Kind, bits: u64) {
    match wire_type(kind) {
        I64 => out.extend_from_slice(&bits.to_le_bytes()),
        I32 => out.extend_from_slice(&(bits as u32).to_le_bytes()),
        _ => put_varint(out, bits),
    }
}

/// The wire bits of a double, or of the float it rounds to.
#[inline]
fn float_bits(kind: Kind, value: f64) -> u64 {
    if kind == Kind::Float { u64::from((value as f32).to_bits()) } else { value.to_bits() }
}

impl Reader<'_, '_> {
    /// A scalar with its tag; with `implicit`, nothing for a default.
    pub fn scalar(&mut self, field: &Field, implicit: bool) -> Read<()> {
        match field.kind {
            Kind::String => self.string_field(field.number, implicit),
            Kind::Bytes => self.bytes_field(field.number, implicit),
            kind => {
                let bits = self.bits(field)?;
                if bits != 0 || !implicit {
                    put_tag(&mut self.out, field.number, wire_type(kind));
                    put_bits(&mut self.out, kind, bits);
                }
                Ok(())
            }
        }
    }

    pub fn string_field(&mut self, number: u32, implicit: bool) -> Read<()> {
        self.must_be_string()?;
        let (text, start) = (self.cursor.text, self.cursor.at + 1);
        let end = run_end(text, start);
        if text.get(end) == Some(&b'"') {
            self.cursor.at = end + 1;
            if end > start || !implicit {
                put_tag(&mut self.out, number, LEN);
                put_varint(&mut self.out, (end - start) as u64);
                self.out.extend_from_slice(&text[start..end]);
            }
            return Ok(());
        }
        put_tag(&mut self.out, number, LEN);
        let mark = open(&mut self.out);
        self.cursor.string_into(&mut self.out)?;
        close(&mut self.out, mark);
        Ok(())
    }

    fn bytes_field(&mut self, number: u32, implicit: bool) -> Read<()> {
        self.must_be_string()?;
        let text = self.cursor.string()?;
        let start = self.out.len();
        put_tag(&mut self.out, number, LEN);
        let mark = open(&mut self.out);
        octets_of_text(&mut self.out, &text)?;
        if implicit && self.out.len() == mark + 1 {
            self.out.truncate(start);
        } else {
            close(&mut self.out, mark);
        }
        Ok(())
    }

    pub fn must_be_string(&self) -> Read<()> {
        if self.cursor.peek() == b'"' {
            return Ok(());
        }
        misfit(format!("must be a string, not {}", self.kind()?))
    }

    /// The wire bits of a number, boolean or enum.
    pub fn bits(&mut self, field: &Field) -> Read<u64> {
        let first = self.cursor.peek();
        if let (Kind::Enum, Some(of)) = (field.kind, &field.enum_type) {
            return match first {
                b'"' => Ok(enum_of_text(of, &self.cursor.string()?)?),
                b'-' | b'0'..=b'9' => Ok(enum_of_number(of, self.cursor.number()?)?),
                b'n' if of.null => self.cursor.literal(b"null").map(|()| 0),
                _ => misfit(format!("must be a name or number of {}, not {}", of.full_name, self.kind()?)),
            };
        }
        let kind = field.kind;
        match (kind, first) {
            (Kind::Bool, b't') => self.cursor.literal(b"true").map(|()| 1),
            (Kind::Bool, b'f') => self.cursor.literal(b"false").map(|()| 0),
            (Kind::Bool, _) => misfit(format!("must be true or false, not {}", self.kind()?)),
            (Kind::Double | Kind::Float, b'-' | b'0'..=b'9') => {
                let value = double_of_number(self.cursor.number()?, kind == Kind::Float)?;
                Ok(float_bits(kind, value))
            }
            (Kind::Double | Kind::Float, b'"') => text_bits(field, &self.cursor.string()?, false).map_err(Into::into),
            (Kind::Double | Kind::Float, _) => misfit(format!("must be a number, not {}", self.kind()?)),
            (_, b'-' | b'0'..=b'9') => Ok(integer_of_number(kind, self.cursor.number()?)?),
            (_, b'"') => Ok(integer_of_text(kind, &self.cursor.string()?)?),
            _ => misfit(format!("must be an integer, not {}", self.kind()?)),
        }
    }

    /// An array into a repeated field.
    pub fn array(&mut self, field: &Field, depth: u32) -> Read<()> {
        if !self.enter(b'[', depth)? {
            return Ok(());
        }
        let mark = field.packed.then(|| {
            put_tag(&mut self.out, field.number, LEN);
            open(&mut self.out)
        });
        let mut index = 0usize;
        loop {
            self.element(field, depth).map_err(|fail| at(fail, &index.to_string()))?;
            index += 1;
            if !self.cursor.more(b']')? {
                break;
            }
        }
        if let Some(mark) = mark {
            close(&mut self.out, mark);
        }
        Ok(())
    }

    #[inline]
    fn element(&mut self, field: &Field, depth: u32) -> Read<()> {
        match field.message {
            Some(of) => self.submessage(field.number, self.schema.get(of), depth + 1, None),
            None if field.packed => {
                let bits = self.bits(field)?;
                put_bits(&mut self.out, field.kind, bits);
                Ok(())
            }
            None => self.scalar(field, false),
        }
    }
}

/// The wire bits of a number, boolean or enum from path or query text, or from a map key.
pub fn text_bits(field: &Field, text: &str, lenient_bools: bool) -> Result<u64, Misfit> {
    if let Some(of) = &field.enum_type {
        return enum_of_text(of, text);
    }
    match field.kind {
        Kind::Bool => boolean_of_text(text, lenient_bools),
        kind @ (Kind::Double | Kind::Float) => Ok(float_bits(kind, double_of_text(text, kind == Kind::Float)?)),
        kind => integer_of_text(kind, text),
    }
}

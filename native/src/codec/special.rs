//! From JSON text straight to wire bytes: the well-known types that have a form of their own, but Any.
//!
//! Owns these forms. Their field numbers are those of google/protobuf/{timestamp,duration,field_mask,struct,wrappers}.proto, which
//! never change; a set that declares them otherwise is not given to this engine.

use super::misfit::{Misfit, Piece, Read, at, misfit, within};
use super::reader::Reader;
use super::scalars::double_of_number;
use super::schema::{MessageType, Special};
use super::times::{parse_duration, parse_timestamp};
use super::wire::{I64, LEN, VARINT, close, open, put_tag, put_varint};

impl Reader<'_, '_> {
    pub fn special(&mut self, of: &MessageType, depth: u32) -> Read<()> {
        match of.special {
            Special::Timestamp => {
                self.must_be_string()?;
                let time = parse_timestamp(&self.cursor.string()?)?;
                put_time(&mut self.out, time);
                Ok(())
            }
            Special::Duration => {
                self.must_be_string()?;
                let time = parse_duration(&self.cursor.string()?)?;
                put_time(&mut self.out, time);
                Ok(())
            }
            Special::FieldMask => {
                self.must_be_string()?;
                let text = self.cursor.string()?;
                if text.contains('_') {
                    return Err(quoted(&text, " must be in lowerCamelCase").into());
                }
                Ok(put_mask(&mut self.out, &text)?)
            }
            Special::Struct => self.structure(depth),
            Special::ListValue => self.list(depth),
            Special::Value => self.value(depth),
            Special::Wrapper => match of.field(1) {
                Some(value) => self.scalar(value, !value.presence),
                None => misfit("has no value"),
            },
            Special::Any | Special::No => misfit("is no special type"),
        }
    }

    fn value(&mut self, depth: u32) -> Read<()> {
        match self.cursor.peek() {
            b'n' => {
                self.cursor.literal(b"null")?;
                self.out.extend_from_slice(&[1 << 3 | VARINT, 0]);
            }
            b't' => {
                self.cursor.literal(b"true")?;
                self.out.extend_from_slice(&[4 << 3 | VARINT, 1]);
            }
            b'f' => {
                self.cursor.literal(b"false")?;
                self.out.extend_from_slice(&[4 << 3 | VARINT, 0]);
            }
            b'"' => return self.string_field(3, false),
            b'{' => return self.within_length(5, |reader| reader.structure(depth)),
            b'[' => return self.within_length(6, |reader| reader.list(depth)),
            _ => {
                let number = double_of_number(self.cursor.number()?, false)?;
                put_tag(&mut self.out, 2, I64);
                self.out.extend_from_slice(&number.to_le_bytes());
            }
        }
        Ok(())
    }

    #[inline]
    fn within_length(&mut self, number: u32, write: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        put_tag(&mut self.out, number, LEN);
        let mark = open(&mut self.out);
        write(self)?;
        close(&mut self.out, mark);
        Ok(())
    }

    fn list(&mut self, depth: u32) -> Read<()> {
        if !self.enter(b'[', depth)? {
            return Ok(());
        }
        let mut index = 0usize;
        loop {
            self.within_length(1, |reader| reader.value(depth + 1)).map_err(|fail| at(fail, &index.to_string()))?;
            index += 1;
            if !self.cursor.more(b']')? {
                return Ok(());
            }
        }
    }

    fn structure(&mut self, depth: u32) -> Read<()> {
        if !self.enter(b'{', depth)? {
            return Ok(());
        }
        let start = self.out.len();
        let mut entries = Vec::new();
        loop {
            let key = self.cursor.string()?;
            self.cursor.expect(b':')?;
            self.cursor.next();
            let began = self.out.len();
            put_tag(&mut self.out, 1, LEN);
            let mark = open(&mut self.out);
            put_tag(&mut self.out, 1, LEN);
            put_varint(&mut self.out, key.len() as u64);
            self.out.extend_from_slice(key.as_bytes());
            self.within_length(2, |reader| reader.value(depth + 1)).map_err(|fail| within(fail, &key))?;
            close(&mut self.out, mark);
            entries.push((key, began));
            if !self.cursor.more(b'}')? {
                break;
            }
        }
        super::entries::sort(&mut self.out, start, &entries)
    }
}

/// Seconds and nanos, of a Timestamp or a Duration.
pub fn put_time(out: &mut Vec<u8>, (seconds, nanos): (i64, i32)) {
    for (number, value) in [(1, seconds), (2, i64::from(nanos))] {
        if value != 0 {
            put_tag(out, number, VARINT);
            put_varint(out, value as u64);
        }
    }
}

/// The paths of a FieldMask from its text, in either spelling: in paths and queries proto names are what most clients write.
pub fn put_mask(out: &mut Vec<u8>, text: &str) -> Result<(), Misfit> {
    if text.is_empty() {
        return Ok(());
    }
    for path in text.split(',') {
        if path.is_empty() {
            return Err(quoted(text, " has an empty path"));
        }
        put_tag(out, 1, LEN);
        let mark = open(out);
        for byte in path.bytes() {
            if byte.is_ascii_uppercase() {
                out.push(b'_');
            }
            out.push(byte.to_ascii_lowercase());
        }
        close(out, mark);
    }
    Ok(())
}

fn quoted(text: &str, rest: &'static str) -> Misfit {
    Misfit::pieces(vec![Piece::Text(text.to_owned()), rest.into()])
}

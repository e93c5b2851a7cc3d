//! From JSON text straight to wire bytes: objects into maps.
//!
//! Owns that each key is given once, whatever its spelling (`1` and `01` are one key), and the order of the entries: that of their
//! keys. Both by sorting: no hash that a client could aim at.

use super::key_order::ordered as ordered_texts;
use super::misfit::{Misfit, Read, at, syntax};
use super::reader::Reader;
use super::schema::{Field, Kind, MessageType};
use super::values::{put_bits, text_bits, wire_type};
use super::wire::{LEN, close, open, put_tag, put_varint};

/// One entry that has been written.
struct Entry {
    start: usize,
    /// Of a number or boolean: in the order of the values. Of a string: where it stands in the output.
    key: Key,
    /// Where its key stands in the JSON text.
    written: usize,
}

#[derive(Clone, Copy)]
enum Key {
    Number(u64),
    Text(usize, usize),
}

impl Reader<'_, '_> {
    /// An object into a map: the field of this number, with entries of this type.
    pub fn map(&mut self, number: u32, entry: &MessageType, depth: u32) -> Read<()> {
        if !self.enter(b'{', depth)? {
            return Ok(());
        }
        let start = self.out.len();
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let written = self.cursor.at;
            let key = self.cursor.string()?;
            self.cursor.expect(b':')?;
            self.cursor.next();
            let began = self.out.len();
            match self.entry(number, entry, &key, depth) {
                Ok(key) => entries.push(Entry { start: began, key, written }),
                Err(fail) => return Err(self.first_fault(entries, entry, (&key, written), fail)),
            }
            if !self.cursor.more(b'}')? {
                break;
            }
        }
        self.settle(start, entries)
    }

    /// What is wrong first: a key that came before, or what failed. An entry's key is looked at before its value, but for maps from
    /// booleans to scalars; that is the order in which the portable engine refuses.
    #[cold]
    fn first_fault(
        &self,
        mut entries: Vec<Entry>,
        entry: &MessageType,
        (text, written): (&str, usize),
        fail: Box<super::misfit::Fail>,
    ) -> Box<super::misfit::Fail> {
        let value_first = |key: Kind| key == Kind::Bool && !entry.field(2).is_some_and(Field::is_message);
        if let Some(key) = entry.field(1).filter(|key| key.kind != Kind::String && !value_first(key.kind))
            && let Ok(bits) = text_bits(key, text, self.options.lenient_bools)
        {
            entries.push(Entry { start: usize::MAX, key: Key::Number(ordered(key.kind, bits)), written });
        }
        self.given_twice(&entries, &self.order(&entries)).unwrap_or_else(|| at(fail, text))
    }

    /// One entry; its key.
    fn entry(&mut self, number: u32, entry: &MessageType, text: &str, depth: u32) -> Read<Key> {
        let (Some(key), Some(value)) = (entry.field(1), entry.field(2)) else {
            return syntax();
        };
        put_tag(&mut self.out, number, LEN);
        let mark = open(&mut self.out);
        let bits = if key.kind == Kind::String {
            put_tag(&mut self.out, 1, LEN);
            put_varint(&mut self.out, text.len() as u64);
            self.out.extend_from_slice(text.as_bytes());
            None
        } else {
            let bits = text_bits(key, text, self.options.lenient_bools);
            // A boolean key is looked at after its value; that is the order in which the portable engine refuses.
            if bits.is_err() && key.kind == Kind::Bool && !value.is_message() {
                self.scalar(value, false)?;
            }
            let bits = bits?;
            put_tag(&mut self.out, 1, wire_type(key.kind));
            put_bits(&mut self.out, key.kind, bits);
            Some(bits)
        };
        let key_end = self.out.len() - mark;
        match value.message {
            Some(of) => self.submessage(2, self.schema.get(of), depth + 1, None)?,
            None => self.scalar(value, false)?,
        }
        let size = self.out.len() - mark;
        close(&mut self.out, mark);
        let shift = self.out.len() - mark - size;
        Ok(match bits {
            Some(bits) => Key::Number(ordered(key.kind, bits)),
            None => Key::Text(mark + shift + key_end - text.len(), mark + shift + key_end),
        })
    }

    /// Puts the entries in order.
    fn settle(&mut self, start: usize, entries: Vec<Entry>) -> Read<()> {
        if entries.is_sorted_by(|a, b| before(&self.out, a.key, b.key).is_lt()) {
            return Ok(());
        }
        let order = self.order(&entries);
        if let Some(fail) = self.given_twice(&entries, &order) {
            return Err(fail);
        }
        let ends: Vec<usize> = entries.iter().skip(1).map(|entry| entry.start).chain([self.out.len()]).collect();
        let bytes = self.out.split_off(start);
        for index in order.into_iter().map(|index| index as usize) {
            self.out.extend_from_slice(&bytes[entries[index].start - start..ends[index] - start]);
        }
        Ok(())
    }

    /// The entries in the order of their keys; those with one key as they were written.
    fn order(&self, entries: &[Entry]) -> Vec<u32> {
        if let Some(Entry { key: Key::Text(..), .. }) = entries.first() {
            let text = |index: usize| match entries[index].key {
                Key::Text(start, end) => &self.out[start..end],
                Key::Number(_) => &[], // a map has keys of one kind
            };
            return ordered_texts(entries.len(), text).0;
        }
        let numbers = entries.iter().map(|entry| if let Key::Number(number) = entry.key { number } else { 0 });
        let mut order: Vec<(u64, u32)> = numbers.zip(0..).collect();
        order.sort_unstable();
        order.into_iter().map(|entry| entry.1).collect()
    }

    /// The failure for the first key, in the order of the text, that had come before.
    fn given_twice(&self, entries: &[Entry], order: &[u32]) -> Option<Box<super::misfit::Fail>> {
        let pairs = order.windows(2).map(|pair| (&entries[pair[0] as usize], &entries[pair[1] as usize]));
        let again = pairs.filter(|(one, other)| before(&self.out, one.key, other.key).is_eq());
        let place = again.map(|(_, other)| other.written).min()?;
        let key = super::cursor::Cursor { text: self.cursor.text, at: place }.string().unwrap_or_default();
        Some(at(Misfit::new("is given twice").into(), &key))
    }
}

/// Numbers that compare as the values do which these wire bits stand for.
pub fn ordered(kind: Kind, bits: u64) -> u64 {
    let sign = 1 << 63;
    match kind {
        Kind::SInt32 | Kind::SInt64 => super::wire::unzigzag(bits) as u64 ^ sign,
        Kind::SFixed32 => bits as u32 as i32 as i64 as u64 ^ sign,
        Kind::Int32 | Kind::Int64 | Kind::SFixed64 => bits ^ sign,
        _ => bits,
    }
}

fn before(out: &[u8], one: Key, other: Key) -> std::cmp::Ordering {
    match (one, other) {
        (Key::Number(one), Key::Number(other)) => one.cmp(&other),
        (Key::Text(start, end), Key::Text(from, to)) => out[start..end].cmp(&out[from..to]),
        _ => std::cmp::Ordering::Equal,
    }
}

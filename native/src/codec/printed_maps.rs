//! From wire bytes straight to JSON text: maps into objects.
//!
//! Owns the order of the entries - that of their keys, numbers as numbers - and that of entries with one key the last counts.

use super::fields::check_value;
use super::key_order::ordered as ordered_texts;
use super::maps::ordered;
use super::printer::{Print, Printer, no_form};
use super::schema::{Field, Kind, MessageType};
use super::selection::Tree;
use super::wire::TOO_DEEP;

/// One entry, its fields not yet printed.
#[derive(Clone, Copy)]
struct Entry {
    /// Numbers: in the order of the values, and the bits. Strings: where the text is.
    key: Key,
    /// Where its bytes are: sizes are below 2^32 (`wire::read_span`).
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Key {
    Number(u64, u64),
    Text(u32, u32),
}

impl Entry {
    fn bytes<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    fn text<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match self.key {
            Key::Text(start, end) => &bytes[start as usize..end as usize],
            Key::Number(..) => &[],
        }
    }

    fn is_before(&self, other: &Self, bytes: &[u8]) -> bool {
        match (self.key, other.key) {
            (Key::Number(one, _), Key::Number(other, _)) => one < other,
            _ => self.text(bytes) < other.text(bytes),
        }
    }

    fn has_key_of(&self, other: &Self, bytes: &[u8]) -> bool {
        match (self.key, other.key) {
            (Key::Number(one, _), Key::Number(other, _)) => one == other,
            _ => self.text(bytes) == other.text(bytes),
        }
    }
}

impl Printer<'_> {
    pub fn map(
        &mut self,
        field: &Field,
        bytes: &[u8],
        run: (usize, usize),
        nesting: u32,
        tree: Option<&Tree>,
        whole: bool,
    ) -> Print<bool> {
        let Some(of) = field.message.map(|of| self.schema.get(of)) else {
            return no_form("a map without entries");
        };
        let (Some(key), Some(value)) = (of.field(1), of.field(2)) else {
            return no_form("a map without keys");
        };
        let inner = nesting.checked_sub(1);
        let mut entries: Vec<Entry> = Vec::new();
        self.begin(b'{')?;
        let mut first = true;
        for place in run.0..run.1 {
            let range = self.found[place].range();
            match self.key(of, key, value, bytes, range.clone(), inner.ok_or(TOO_DEEP)?)? {
                Some(entry) => {
                    // Of the same key again and again only the last is kept: it would be millions of entries.
                    match entries.last_mut() {
                        Some(last) if last.has_key_of(&entry, bytes) => {
                            let replaced = std::mem::replace(last, entry);
                            // Octets that are the same are as good or bad as those that count.
                            if replaced.bytes(bytes) != entry.bytes(bytes) {
                                self.replaced(key, value, of, replaced, bytes, nesting, tree)?;
                            }
                        }
                        _ => entries.push(entry),
                    }
                }
                None => self.check_entry(of, &bytes[range], nesting)?,
            }
        }
        let is_any = !entries.is_empty();
        if !entries.is_sorted_by(|one, other| one.is_before(other, bytes)) {
            entries = in_order(entries, bytes);
        }
        for (place, &entry) in entries.iter().enumerate() {
            if entries.get(place + 1).is_some_and(|next| next.has_key_of(&entry, bytes)) {
                self.replaced(key, value, of, entry, bytes, nesting, tree)?;
            } else {
                self.entry(key, value, of, entry, bytes, nesting - 1, (tree, false), &mut first)?;
            }
        }
        self.end(b'}', first);
        // `$fields` may have left none of them; a list of entries is there as soon as it has one, even if it does not count.
        let is_there = if is_hashed(key) { is_any } else { run.0 < run.1 };
        Ok(whole || is_there)
    }

    /// An entry that another of its key replaces: looked at, and not printed.
    #[allow(clippy::too_many_arguments)] // as `entry`
    fn replaced(
        &mut self,
        key: &Field,
        value: &Field,
        of: &MessageType,
        entry: Entry,
        bytes: &[u8],
        nesting: u32,
        tree: Option<&Tree>,
    ) -> Print<()> {
        if is_hashed(key) {
            return self.check_entry(of, entry.bytes(bytes), nesting);
        }
        self.entry(key, value, of, entry, bytes, nesting - 1, (tree, true), &mut true)
    }

    /// An entry by its key; None when the entry counts as an unknown field: it has one itself (a number that its closed enum does not
    /// declare is one). The portable engine holds maps of integers as lists, where only a missing value of a closed enum tells.
    fn key(
        &mut self,
        of: &MessageType,
        key: &Field,
        value: &Field,
        bytes: &[u8],
        range: std::ops::Range<usize>,
        nesting: u32,
    ) -> Print<Option<Entry>> {
        let inside = &bytes[range.clone()];
        let base = self.found.len();
        self.find(of, inside, nesting)?;
        let (mut found, mut has_value) = (None, false);
        for &occurrence in &self.found[base..] {
            match of.fields[occurrence.field as usize].number {
                1 => found = Some(occurrence),
                2 => has_value = true,
                _ => {}
            }
        }
        self.found.truncate(base);
        let dropped = if is_hashed(key) {
            self.met_unknown
        } else {
            !has_value && value.enum_type.as_ref().is_some_and(|of| of.closed)
        };
        if dropped {
            return Ok(None);
        }
        let key = match (key.kind, found) {
            (Kind::String, None) => Key::Text(0, 0),
            (Kind::String, Some(occurrence)) => {
                check_value(self.schema, key, inside, occurrence, nesting)?;
                // Keys that are not UTF-8, where protobuf does not check: JSON has no form for them.
                if std::str::from_utf8(&inside[occurrence.range()]).is_err() {
                    return no_form("a map's key is not UTF-8");
                }
                let text = occurrence.range();
                Key::Text((range.start + text.start) as u32, (range.start + text.end) as u32)
            }
            (kind, found) => {
                let bits = found.map_or(0, |occurrence| occurrence.bits);
                Key::Number(ordered(kind, bits), bits)
            }
        };
        Ok(Some(Entry { key, start: range.start as u32, end: range.end as u32 }))
    }

    fn check_entry(&self, of: &MessageType, bytes: &[u8], nesting: u32) -> Print<()> {
        let nesting = nesting.checked_sub(1).ok_or(TOO_DEEP)?;
        Ok(super::fields::check(self.schema, of, bytes, nesting, false, 0)?)
    }

    #[allow(clippy::too_many_arguments)] // an entry is what its map, its type and its place say
    fn entry(
        &mut self,
        key: &Field,
        value: &Field,
        of: &MessageType,
        entry: Entry,
        bytes: &[u8],
        nesting: u32,
        (tree, replaced): (Option<&Tree>, bool),
        first: &mut bool,
    ) -> Print<()> {
        let (mark, was_first) = (self.out.len(), *first);
        self.separate(first);
        let name = self.out.len();
        match entry.key {
            Key::Text(..) => self.text(entry.text(bytes), false)?,
            Key::Number(_, bits) => {
                self.out.push(b'"');
                let numbers = std::mem::replace(&mut self.style.int64_numbers, true);
                let printed = self.number(key, bits);
                self.style.int64_numbers = numbers;
                printed?;
                self.out.push(b'"');
            }
        }
        let (seen, below) = match entry.key {
            Key::Text(..) => Tree::below(tree, entry.text(bytes)),
            Key::Number(..) => Tree::below(tree, &self.out[name + 1..self.out.len() - 1]),
        };
        let seen = seen && !replaced;
        self.colon();
        self.muted += usize::from(!seen);
        let inside = entry.bytes(bytes);
        let base = self.found.len();
        self.find(of, inside, nesting)?;
        let is_value = |occurrence: &super::fields::Occurrence| of.fields[occurrence.field as usize].number == 2;
        let start = base + self.found[base..].iter().take_while(|occurrence| !is_value(occurrence)).count();
        let count = self.found[start..].iter().take_while(|occurrence| is_value(occurrence)).count();
        self.value(value, inside, (start, start + count), nesting, below, true)?;
        self.found.truncate(base);
        self.muted -= usize::from(!seen);
        if !seen {
            self.out.truncate(mark);
            *first = was_first;
        }
        Ok(())
    }
}

/// The entries in the order of their keys; those with one key as they came.
fn in_order(mut entries: Vec<Entry>, bytes: &[u8]) -> Vec<Entry> {
    if let Some(Entry { key: Key::Text(..), .. }) = entries.first() {
        let (order, _) = ordered_texts(entries.len(), |index| entries[index].text(bytes));
        return order.into_iter().map(|index| entries[index as usize]).collect();
    }
    entries.sort_by_key(|entry| if let Key::Number(number, _) = entry.key { number } else { 0 });
    entries
}

/// Whether the portable engine holds a map of these keys as a map, and not as a list of entries.
fn is_hashed(key: &Field) -> bool {
    matches!(key.kind, Kind::String | Kind::Bool)
}

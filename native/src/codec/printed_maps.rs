//! From wire bytes straight to JSON text: maps into objects.
//!
//! Owns the order of the entries - that of their keys, numbers as numbers - and that of entries with one key the last counts.

use super::fields::check_value;
use super::maps::ordered;
use super::printer::{Print, Printer, no_form};
use super::schema::{Field, Kind, MessageType};
use super::selection::Tree;
use super::wire::TOO_DEEP;

/// One entry, its fields not yet printed.
struct Entry {
    key: Key,
    /// The entry's bytes.
    range: std::ops::Range<usize>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Key {
    Number(u64, u64),
    Text(Vec<u8>),
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
        let mut entries = Vec::with_capacity(run.1 - run.0);
        for place in run.0..run.1 {
            let range = self.found[place].range();
            let inner = nesting.checked_sub(1).ok_or(TOO_DEEP)?;
            match self.key(of, key, value, &bytes[range.clone()], inner)? {
                Some(key) => entries.push(Entry { key, range }),
                None => self.check_entry(of, &bytes[range], nesting)?,
            }
        }
        self.refuse_bad_keys(&entries)?;
        if !entries.is_sorted_by(|one, other| one.key < other.key) {
            entries.sort_by(|one, other| one.key.cmp(&other.key));
        }
        self.begin(b'{')?;
        let mut first = true;
        for (place, entry) in entries.iter().enumerate() {
            let replaced = entries.get(place + 1).is_some_and(|next| next.key == entry.key);
            if replaced && is_hashed(key) {
                self.check_entry(of, &bytes[entry.range.clone()], nesting)?;
                continue;
            }
            self.entry(key, value, of, entry, bytes, nesting - 1, (tree, replaced), &mut first)?;
        }
        self.end(b'}', first);
        // `$fields` may have left none of them; a list of entries is there as soon as it has one, even if it does not count.
        let is_there = if is_hashed(key) { !entries.is_empty() } else { run.0 < run.1 };
        Ok(whole || is_there)
    }

    /// The key of an entry; None when the entry counts as an unknown field: it has one itself (a number that its closed enum does not
    /// declare is one). The portable engine holds maps of integers as lists, where only a missing value of a closed enum tells.
    fn key(&mut self, of: &MessageType, key: &Field, value: &Field, bytes: &[u8], nesting: u32) -> Print<Option<Key>> {
        let base = self.found.len();
        self.find(of, bytes, nesting)?;
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
        Ok(Some(match (key.kind, found) {
            (Kind::String, None) => Key::Text(Vec::new()),
            (Kind::String, Some(occurrence)) => {
                let text = &bytes[occurrence.range()];
                check_value(self.schema, key, bytes, occurrence, nesting)?;
                Key::Text(text.to_vec())
            }
            (kind, found) => {
                let bits = found.map_or(0, |occurrence| occurrence.bits);
                Key::Number(ordered(kind, bits), bits)
            }
        }))
    }

    /// Keys that are not UTF-8, where protobuf does not check: JSON has no form for them.
    fn refuse_bad_keys(&self, entries: &[Entry]) -> Print<()> {
        let is_bad = |entry: &Entry| matches!(&entry.key, Key::Text(text) if std::str::from_utf8(text).is_err());
        if entries.iter().any(is_bad) {
            return no_form("a map's key is not UTF-8");
        }
        Ok(())
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
        entry: &Entry,
        bytes: &[u8],
        nesting: u32,
        (tree, replaced): (Option<&Tree>, bool),
        first: &mut bool,
    ) -> Print<()> {
        let (mark, was_first) = (self.out.len(), *first);
        self.separate(first);
        let name = self.out.len();
        match &entry.key {
            Key::Text(text) => self.text(text, false)?,
            Key::Number(_, bits) => {
                self.out.push(b'"');
                let numbers = std::mem::replace(&mut self.style.int64_numbers, true);
                let printed = self.number(key, *bits);
                self.style.int64_numbers = numbers;
                printed?;
                self.out.push(b'"');
            }
        }
        let (seen, below) = match &entry.key {
            Key::Text(text) => Tree::below(tree, text),
            Key::Number(..) => Tree::below(tree, &self.out[name + 1..self.out.len() - 1]),
        };
        let seen = seen && !replaced;
        self.colon();
        self.muted += usize::from(!seen);
        let inside = &bytes[entry.range.clone()];
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

/// Whether the portable engine holds a map of these keys as a map, and not as a list of entries.
fn is_hashed(key: &Field) -> bool {
    matches!(key.kind, Kind::String | Kind::Bool)
}

//! From wire bytes straight to JSON text: the well-known types that have a form of their own.
//!
//! Owns these forms, and what has none: a Timestamp of the year 10000, an infinite Value, a FieldMask path that could not be read back.
//! An Any whose content cannot be decoded or printed keeps it as base64: an answer is never lost for one unknown detail.

use super::floats::put_double;
use super::printer::{Fail, Print, Printer, no_form};
use super::schema::{MessageType, Special};
use super::selection::Tree;
use super::text::put_string;
use super::times::{put_duration, put_timestamp};
use super::wire::MAX_NESTING;

impl Printer<'_> {
    pub fn special(&mut self, of: &MessageType, bytes: &[u8], nesting: u32, tree: Option<&Tree>) -> Print<()> {
        let base = self.found.len();
        self.find(of, bytes, nesting)?;
        match of.special {
            Special::Timestamp | Special::Duration => self.time(of, base)?,
            Special::FieldMask => self.mask(of, bytes, base)?,
            Special::Struct | Special::ListValue | Special::Wrapper => {
                let Some(index) = of.index_of(1) else {
                    return no_form("a type without its field");
                };
                let end = base + self.found[base..].iter().take_while(|found| found.field as usize == index).count();
                self.value(&of.fields[index], bytes, (base, end), nesting, tree, true)?;
            }
            Special::Value => self.any_value(of, bytes, base, nesting, tree)?,
            Special::Any | Special::No => return no_form("no special type"),
        }
        self.found.truncate(base);
        Ok(())
    }

    /// The bits of a singular number of the message whose fields begin at `base`.
    fn bits(&self, of: &MessageType, base: usize, number: u32) -> u64 {
        let found = self.found[base..].iter().find(|found| of.fields[found.field as usize].number == number);
        found.map_or(0, |found| found.bits)
    }

    fn time(&mut self, of: &MessageType, base: usize) -> Print<()> {
        let (seconds, nanos) = (self.bits(of, base, 1) as i64, self.bits(of, base, 2) as i32);
        let is_timestamp = of.special == Special::Timestamp;
        let put = if is_timestamp { put_timestamp } else { put_duration };
        if put(&mut self.out, seconds, nanos) {
            return Ok(());
        }
        let name = if is_timestamp { "Timestamp" } else { "Duration" };
        no_form(format!("a {name} of {seconds} s and {nanos} ns is out of range"))
    }

    fn mask(&mut self, of: &MessageType, bytes: &[u8], base: usize) -> Print<()> {
        let mut text = Vec::new();
        for found in &self.found[base..] {
            if of.fields[found.field as usize].number != 1 {
                continue;
            }
            let path = &bytes[found.range()];
            super::fields::check_utf8(path)?;
            if !text.is_empty() || found.bits != self.found[base].bits {
                text.push(b',');
            }
            if !put_camel(&mut text, path) {
                let mut quoted = Vec::new();
                put_string(&mut quoted, path);
                let quoted = String::from_utf8_lossy(&quoted);
                return no_form(format!("the FieldMask path {quoted} has no JSON form"));
            }
        }
        put_string(&mut self.out, &text);
        Ok(())
    }

    /// A Value: whatever it holds; one that holds nothing reads as null.
    fn any_value(
        &mut self,
        of: &MessageType,
        bytes: &[u8],
        base: usize,
        nesting: u32,
        tree: Option<&Tree>,
    ) -> Print<()> {
        let Some(found) = self.found.get(base).copied() else {
            self.out.extend_from_slice(b"null");
            return Ok(());
        };
        let field = &of.fields[found.field as usize];
        if field.number == 2 {
            let value = f64::from_bits(found.bits);
            if !value.is_finite() {
                return no_form("a Value cannot hold NaN or infinity");
            }
            put_double(&mut self.out, value);
            return Ok(());
        }
        self.value(field, bytes, (base, self.found.len()), nesting, tree, true)?;
        Ok(())
    }

    /// An Any by its type; as base64 when the type is unknown or the bytes are not of it.
    pub fn any(&mut self, of: &MessageType, bytes: &[u8], nesting: u32, tree: Option<&Tree>) -> Print<()> {
        let base = self.found.len();
        self.find(of, bytes, nesting)?;
        let part = |number| {
            let found = self.found[base..].iter().find(|found| of.fields[found.field as usize].number == number);
            found.map_or(&[][..], |found| &bytes[found.range()])
        };
        let (url, content) = (part(1), part(2));
        self.found.truncate(base);
        super::fields::check_utf8(url)?;
        if url.is_empty() && content.is_empty() {
            self.begin(b'{')?;
            self.end(b'}', true);
            return Ok(());
        }
        let (mark, levels, muted) = (self.out.len(), self.levels, self.muted);
        if let Some(inner) = self.type_of(url)? {
            // To the message around it the content was octets, of which nothing is known.
            let sound = std::mem::replace(&mut self.sound, false);
            let printed = self.known(inner, url, content, tree);
            self.sound = sound;
            match printed {
                Err(fail) if matches!(*fail, Fail::Malformed(_) | Fail::NoForm(_)) => {
                    self.out.truncate(mark);
                    self.found.truncate(base);
                    (self.levels, self.muted) = (levels, muted);
                }
                printed => return printed,
            }
        }
        self.opaque(url, content, tree)
    }

    fn type_of(&self, url: &[u8]) -> Print<Option<u32>> {
        let name = std::str::from_utf8(url).unwrap_or_default().rsplit_once('/').map_or("", |(_, name)| name);
        if name.is_empty() {
            return Ok(None);
        }
        let found = match self.schema.find(name) {
            None => self.loader.load(name).map_err(|error| Box::new(Fail::Python(error)))?,
            found => found,
        };
        Ok(found.filter(|&id| self.schema.get(id).group.is_none()))
    }

    fn known(&mut self, id: u32, url: &[u8], content: &[u8], tree: Option<&Tree>) -> Print<()> {
        let of = self.schema.get(id);
        self.begin(b'{')?;
        let mut first = true;
        self.any_member(b"@type", tree, &mut first, |printer, _| {
            put_string(&mut printer.out, url);
            Ok(())
        })?;
        if of.special == Special::No {
            self.fields(of, content, MAX_NESTING, tree, &mut first)?;
        } else {
            self.any_member(b"value", tree, &mut first, |printer, below| {
                printer.message(of, content, MAX_NESTING, below)
            })?;
        }
        self.end(b'}', first);
        Ok(())
    }

    fn opaque(&mut self, url: &[u8], content: &[u8], tree: Option<&Tree>) -> Print<()> {
        self.begin(b'{')?;
        let mut first = true;
        self.any_member(b"@type", tree, &mut first, |printer, _| {
            put_string(&mut printer.out, url);
            Ok(())
        })?;
        self.any_member(b"value", tree, &mut first, |printer, _| {
            printer.base64(content);
            Ok(())
        })?;
        self.end(b'}', first);
        Ok(())
    }

    fn any_member(
        &mut self,
        name: &[u8],
        tree: Option<&Tree>,
        first: &mut bool,
        print: impl FnOnce(&mut Self, Option<&Tree>) -> Print<()>,
    ) -> Print<()> {
        let (seen, below) = Tree::below(tree, name);
        let (mark, was_first) = (self.out.len(), *first);
        self.separate(first);
        put_string(&mut self.out, name);
        self.colon();
        self.muted += usize::from(!seen);
        print(self, below)?;
        self.muted -= usize::from(!seen);
        if !seen {
            self.out.truncate(mark);
            *first = was_first;
        }
        Ok(())
    }
}

/// A path in lowerCamelCase; false when it could not be read back.
fn put_camel(out: &mut Vec<u8>, path: &[u8]) -> bool {
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'A'..=b'Z' | b',' => return false,
            b'_' => match bytes.next() {
                Some(letter @ b'a'..=b'z') => out.push(letter.to_ascii_uppercase()),
                _ => return false,
            },
            _ => out.push(byte),
        }
    }
    true
}

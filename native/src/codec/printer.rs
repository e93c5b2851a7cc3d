//! From wire bytes straight to JSON text: messages into objects.
//!
//! Owns the proto3 JSON mapping's printing half. A message is looked through once, to find its fields; then they are printed in the
//! order of their numbers and map entries in that of their keys, so that equal messages print equal bytes. What a decoder would merge
//! or let the last win is merged or wins here. Unknown fields and extensions are dropped: a newer service must not break its clients.
//! Source: <https://protobuf.dev/programming-guides/json/>.

use std::borrow::Cow;

use super::fields::Occurrence;
use super::misfit::Piece;
use super::reader::Loader;
use super::schema::{Field, MessageType, Schema, Special};
use super::selection::Tree;
use super::wire::Malformed;

/// orjson's, which the portable engine prints with.
const MAX_JSON_LEVELS: usize = 254;
/// Of what is printed only to be checked. Each Any begins to count messages anew, so that nothing else bounds the stack.
const MAX_MUTED_LEVELS: usize = 1000;

/// How many times its size an answer may be put together from messages in parts: at each level of messages that are all in parts it
/// is once more, and is held for as long as that is printed.
const MERGED_TIMES: usize = 4;
const MERGED_FLOOR_BYTES: usize = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enums {
    Names,
    Numbers,
    Short,
}

#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub proto_names: bool,
    pub enums: Enums,
    pub defaults: bool,
    pub nulls: bool,
    pub int64_numbers: bool,
    pub pretty: bool,
    /// Of one answer.
    pub max_bytes: usize,
}

/// Why an answer could not be printed.
#[derive(Debug)]
pub enum Fail {
    /// The bytes are no message of their type.
    Malformed(&'static str),
    /// A value has no JSON form.
    NoForm(Vec<Piece>),
    /// Text that is not UTF-8, JSON that nests too deep for its readers, or more of it than is printed. Unlike the others, an Any does not hide it.
    Unprintable(Cow<'static, str>),
    Python(pyo3::PyErr),
}

pub type Print<T> = Result<T, Box<Fail>>;

impl From<Malformed> for Box<Fail> {
    fn from(error: Malformed) -> Self {
        Box::new(Fail::Malformed(error.0))
    }
}

#[cold]
pub fn no_form<T>(text: impl Into<Piece>) -> Print<T> {
    Err(Box::new(Fail::NoForm(vec![text.into()])))
}

#[cold]
fn too_large<T>(max_bytes: usize) -> Print<T> {
    Err(Box::new(Fail::Unprintable(format!("its JSON would be larger than {max_bytes} bytes").into())))
}

pub struct Printer<'s> {
    pub out: Vec<u8>,
    pub schema: &'s Schema,
    pub style: Style,
    pub loader: &'s dyn Loader,
    /// The fields found in the messages that are being printed: a stack.
    pub found: Vec<Occurrence>,
    /// Whether the message looked through last has a field that its type does not know.
    pub met_unknown: bool,
    pub levels: usize,
    /// Whether what is printed was found decodable, all of it.
    pub sound: bool,
    /// Octets that messages which came in parts may yet be put together from.
    pub merging: usize,
    /// How many of the values around are printed only to be checked: `$fields` does not select them.
    pub muted: usize,
}

impl<'s> Printer<'s> {
    pub fn new(schema: &'s Schema, style: Style, loader: &'s dyn Loader, capacity: usize) -> Self {
        let out = Vec::with_capacity(capacity);
        Self {
            out,
            schema,
            style,
            loader,
            found: Vec::new(),
            met_unknown: false,
            levels: 0,
            sound: false,
            merging: MERGED_FLOOR_BYTES.max(capacity.saturating_mul(MERGED_TIMES)),
            muted: 0,
        }
    }

    /// A message of this type. `nesting`: how many messages may still be within it.
    pub fn message(&mut self, of: &MessageType, bytes: &[u8], nesting: u32, tree: Option<&Tree>) -> Print<()> {
        match of.special {
            Special::No => {
                self.begin(b'{')?;
                let mut first = true;
                self.fields(of, bytes, nesting, tree, &mut first)?;
                self.end(b'}', first);
                Ok(())
            }
            Special::Any => self.any(of, bytes, nesting, tree),
            _ => self.special(of, bytes, nesting, tree),
        }
    }

    /// The members of a plain message's object.
    pub fn fields(
        &mut self,
        of: &MessageType,
        bytes: &[u8],
        nesting: u32,
        tree: Option<&Tree>,
        first: &mut bool,
    ) -> Print<()> {
        let base = self.found.len();
        self.find(of, bytes, nesting)?;
        let mut at = base;
        if self.style.defaults {
            for (index, field) in of.fields.iter().enumerate() {
                let end = self.run(at, index);
                self.member(field, bytes, (at, end), nesting, tree, first)?;
                at = end;
            }
        } else {
            while let Some(occurrence) = self.found.get(at) {
                let index = occurrence.field as usize;
                let end = self.run(at, index);
                self.member(&of.fields[index], bytes, (at, end), nesting, tree, first)?;
                at = end;
            }
        }
        self.found.truncate(base);
        Ok(())
    }

    /// Where the occurrences of a field end that begin, if there are any, at `at`.
    #[inline]
    fn run(&self, mut at: usize, field: usize) -> usize {
        while self.found.get(at).is_some_and(|occurrence| occurrence.field as usize == field) {
            at += 1;
        }
        at
    }

    /// One field with its name, if it is to be seen.
    #[inline]
    fn member(
        &mut self,
        field: &Field,
        bytes: &[u8],
        run: (usize, usize),
        nesting: u32,
        tree: Option<&Tree>,
        first: &mut bool,
    ) -> Print<()> {
        if field.hidden {
            return self.check_run(field, bytes, run, nesting);
        }
        let absent = run.0 == run.1;
        if absent && field.presence {
            if self.style.nulls && field.nullable && self.style.defaults {
                return self.selected(field, tree, first, |printer, _| {
                    printer.out.extend_from_slice(b"null");
                    Ok(true)
                });
            }
            return Ok(());
        }
        if !self.style.defaults && !field.presence && !field.repeated && self.is_default(run) {
            return Ok(());
        }
        let defaults = self.style.defaults;
        self.selected(field, tree, first, |printer, below| printer.value(field, bytes, run, nesting, below, defaults))
    }

    /// A member by its name and by `print`, which may find that there is nothing; dropped when `tree` does not select it.
    fn selected(
        &mut self,
        field: &Field,
        tree: Option<&Tree>,
        first: &mut bool,
        print: impl FnOnce(&mut Self, Option<&Tree>) -> Print<bool>,
    ) -> Print<()> {
        let label = &field.labels[usize::from(self.style.proto_names)];
        let name = &label[1..label.len() - 1];
        let (seen, below) = Tree::below(tree, name);
        let (mark, was_first) = (self.out.len(), *first);
        self.separate(first);
        self.out.extend_from_slice(label);
        self.colon();
        self.muted += usize::from(!seen);
        let printed = print(self, below)?;
        self.bounded()?;
        self.muted -= usize::from(!seen);
        if !printed || !seen {
            self.out.truncate(mark);
            *first = was_first;
        }
        Ok(())
    }

    #[inline]
    pub fn begin(&mut self, bracket: u8) -> Print<()> {
        self.levels += 1;
        let most = if self.muted == 0 { MAX_JSON_LEVELS } else { MAX_MUTED_LEVELS };
        if self.levels > most {
            return Err(Box::new(Fail::Unprintable("it is nested too deep".into())));
        }
        self.bounded()?;
        self.out.push(bracket);
        Ok(())
    }

    /// Refuses to print on past the bound. Asked at each container and element: past it there is at most one scalar, or a run of packed ones.
    #[inline]
    pub fn bounded(&self) -> Print<()> {
        if self.out.len() > self.style.max_bytes { too_large(self.style.max_bytes) } else { Ok(()) }
    }

    #[inline]
    pub fn end(&mut self, bracket: u8, empty: bool) {
        self.levels -= 1;
        if self.style.pretty && !empty {
            self.line();
        }
        self.out.push(bracket);
    }

    /// What stands before an element.
    #[inline]
    pub fn separate(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(b',');
        }
        if self.style.pretty {
            self.line();
        }
    }

    #[inline]
    pub fn colon(&mut self) {
        self.out.push(b':');
        if self.style.pretty {
            self.out.push(b' ');
        }
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        let end = self.out.len() + 2 * self.levels;
        self.out.resize(end, b' ');
    }
}

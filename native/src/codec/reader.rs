//! From JSON text straight to wire bytes: objects into messages.
//!
//! Owns the proto3 JSON mapping's reading half: both spellings of names, null as absence, one member per oneof, bounded depth, unknown
//! fields refused or skipped. No value is held in between: fields are written as they are read, and put in the order of their numbers
//! should they have come in another, so that equal requests are equal bytes.
//! Source: <https://protobuf.dev/programming-guides/json/>.

use super::any::LOOKED_AHEAD_BYTES;
use super::cursor::Cursor;
use super::explain::{TOO_DEEP, explain_text, skip};
use super::key_places::KeyPlaces;
use super::members::Members;
use super::misfit::{Fail, Misfit, Read, beginning, misfit, syntax, within};
use super::schema::{Field, MessageType, Schema, Special, TypeId};
use super::wire::{LEN, close, open, put_tag};

/// What of JsonOptions decides how requests are read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    pub max_depth: u32,
    pub ignore_unknown: bool,
    pub lenient_bools: bool,
}

/// Brings types that an Any names and that no binding has used yet.
pub trait Loader {
    /// The type of this full name, None when the API has none. Fails only when Python does.
    fn load(&self, full_name: &str) -> Result<Option<TypeId>, pyo3::PyErr>;
}

/// Fields of a body that the path binds too: where their JSON stands is noted in `Reader::told`.
#[derive(Debug, Default)]
pub struct Watch {
    pub fields: Vec<(usize, Watched)>,
}

#[derive(Debug)]
pub enum Watched {
    Variable(usize),
    Message(Watch),
}

impl Watch {
    fn of(&self, field: usize) -> Option<&Watched> {
        self.fields.iter().find(|(index, _)| *index == field).map(|(_, watched)| watched)
    }
}

pub struct Reader<'a, 's> {
    pub cursor: Cursor<'a>,
    pub out: Vec<u8>,
    pub schema: &'s Schema,
    pub options: ReadOptions,
    pub loader: &'s dyn Loader,
    /// By path variable: where the body tells its value.
    pub told: Vec<Option<(usize, usize)>>,
    pub members: Members,
    /// Where the `@type` of objects stands that were looked through for an outer one, and how far that was.
    pub types: (std::collections::HashMap<usize, usize>, usize),
}

impl<'a, 's> Reader<'a, 's> {
    pub fn new(text: &'a str, schema: &'s Schema, options: ReadOptions, loader: &'s dyn Loader) -> Self {
        Self {
            cursor: Cursor::new(text.as_bytes()),
            out: Vec::new(),
            schema,
            options,
            loader,
            told: Vec::new(),
            members: Members::default(),
            types: Default::default(),
        }
    }

    /// Reads the whole text by `read`. A text that is no JSON is refused as such, whatever else is wrong with it.
    pub fn whole(&mut self, read: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        self.cursor.next();
        let result = read(self).and_then(|()| self.cursor.end());
        match result {
            Err(fail) if !matches!(*fail, Fail::Python(_)) => {
                let text = std::str::from_utf8(self.cursor.text).unwrap_or_default();
                Err(explain_text(text).map_or(fail, Into::into))
            }
            other => other,
        }
    }

    /// The value at the cursor into the content of a message of this type.
    pub fn message(&mut self, of: &MessageType, depth: u32, watch: Option<&Watch>) -> Read<()> {
        match of.special {
            Special::No => self.object(of, depth, watch, false),
            Special::Any => self.any(depth),
            _ => self.special(of, depth),
        }
    }

    /// A length-delimited message under its tag.
    pub fn submessage(&mut self, number: u32, of: &MessageType, depth: u32, watch: Option<&Watch>) -> Read<()> {
        put_tag(&mut self.out, number, LEN);
        let mark = open(&mut self.out);
        self.message(of, depth, watch)?;
        close(&mut self.out, mark);
        Ok(())
    }

    /// Steps into the container that must stand here; true when it has members.
    pub fn enter(&mut self, begin: u8, depth: u32) -> Read<bool> {
        if self.cursor.peek() != begin {
            let wanted = if begin == b'{' { "an object" } else { "an array" };
            return misfit(format!("must be {wanted}, not {}", self.kind()?));
        }
        if depth > self.options.max_depth {
            return misfit(TOO_DEEP);
        }
        self.cursor.at += 1;
        if self.cursor.next() == begin + 2 {
            self.cursor.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// What stands here, for error texts.
    #[cold]
    pub fn kind(&self) -> Read<&'static str> {
        match self.cursor.peek() {
            b'n' => Ok("null"),
            b't' | b'f' => Ok("a boolean"),
            b'"' => Ok("a string"),
            b'[' => Ok("an array"),
            b'{' => Ok("an object"),
            b'-' | b'0'..=b'9' => Ok("a number"),
            _ => syntax(),
        }
    }

    /// An object into the fields of a plain message; `any` says that it is the content of an Any, whose `@type` is not a field.
    pub fn object(&mut self, of: &MessageType, depth: u32, watch: Option<&Watch>, any: bool) -> Read<()> {
        if !self.enter(b'{', depth)? {
            return Ok(());
        }
        let frame = self.members.open(of, self.out.len());
        self.object_members(of, depth, watch, any)?;
        self.members.close(frame, &mut self.out);
        Ok(())
    }

    fn object_members(&mut self, of: &MessageType, depth: u32, watch: Option<&Watch>, any: bool) -> Read<()> {
        let mut guess = 0usize;
        let mut typed = false;
        let mut unknown = KeyPlaces::default();
        let frame = self.members.current();
        loop {
            let slot = match self.guessed(of, guess) {
                Some(slot) => Some(slot),
                None => {
                    let place = self.cursor.at;
                    let key = self.cursor.string()?;
                    let slot = of.keys.find(key.as_bytes());
                    let is_type = any && &*key == "@type";
                    if slot.is_none() && !is_type && !self.options.ignore_unknown {
                        let text = format!("{} has no such field", of.full_name);
                        return Err(Misfit::new(text).under(beginning(&key)).into());
                    }
                    if is_type || slot.is_none() {
                        if !is_type {
                            unknown.note(place);
                        } else if std::mem::replace(&mut typed, true) {
                            return syntax();
                        }
                        self.cursor.expect(b':')?;
                        self.cursor.next();
                        let levels = skip(&mut self.cursor)?;
                        if !is_type && depth + levels > self.options.max_depth {
                            return misfit(TOO_DEEP);
                        }
                        if self.cursor.more(b'}')? {
                            continue;
                        }
                        break;
                    }
                    slot
                }
            };
            let Some(slot) = slot else { return syntax() };
            self.cursor.expect(b':')?;
            self.cursor.next();
            let index = of.keys.keys[slot as usize].field as usize;
            guess = index + 1;
            let value_at = self.cursor.at;
            if let Err(fail) = self.member(of, slot, index, depth, watch) {
                return Err(self.blame(of, frame, value_at, fail));
            }
            if !self.cursor.more(b'}')? {
                break;
            }
        }
        // What comes twice is no JSON, and `explain` says so before anything else that may be wrong with the text.
        if unknown.first_again(self.cursor.text).is_some() { syntax() } else { Ok(()) }
    }

    /// The next key, if it is the one that most likely comes next.
    #[inline]
    fn guessed(&mut self, of: &MessageType, guess: usize) -> Option<u16> {
        let field = of.fields.get(guess)?;
        let key = of.keys.keys.get(field.json_slot as usize)?;
        let rest = self.cursor.text.get(self.cursor.at..)?.strip_prefix(b"\"")?.strip_prefix(&*key.text)?;
        if rest.first() != Some(&b'"') || key.field as usize != guess {
            return None;
        }
        self.cursor.at += key.text.len() + 2;
        Some(field.json_slot)
    }

    #[inline]
    fn member(&mut self, of: &MessageType, slot: u16, index: usize, depth: u32, watch: Option<&Watch>) -> Read<()> {
        let field = &of.fields[index];
        let key = &of.keys.keys[slot as usize];
        if !self.members.first_time(slot) {
            return syntax();
        }
        if of.odd_names && !key.is_name && self.members.is_named(slot) {
            return Err(given_twice(&of.fields[self.members.namer(of, slot)]));
        }
        if self.cursor.peek() == b'n' && !field.takes_null {
            return self.cursor.literal(b"null");
        }
        if key.is_name {
            if self.members.has(field.json_slot) {
                return Err(given_twice(field));
            }
            self.members.name(field.json_slot);
        }
        if let Some(oneof) = field.oneof
            && let Some(taken) = self.members.take(oneof, index)
        {
            let (taken, oneof) = (&of.fields[taken].name, &of.oneofs[oneof as usize]);
            let text = format!("cannot be set beside {taken}: a message has one of {oneof}");
            return Err(within(Misfit::new(text).into(), &field.name));
        }
        let start = self.members.begin(field.number, self.out.len());
        let watched = watch.and_then(|watch| watch.of(index));
        let value_at = self.cursor.at;
        self.field(field, depth + 1, watched).map_err(|fail| within(fail, &field.name))?;
        if let Some(Watched::Variable(variable)) = watched {
            // NullValue's null says nothing.
            if self.cursor.text[value_at] != b'n' {
                self.told[*variable] = Some((value_at, self.cursor.at));
            }
        }
        if self.out.len() == start {
            self.members.forget();
        }
        Ok(())
    }

    /// The value at the cursor into a field, its tag and all.
    pub fn field(&mut self, field: &Field, depth: u32, watched: Option<&Watched>) -> Read<()> {
        match field.message {
            Some(entry) if field.map => self.map(field.number, self.schema.get(entry), depth),
            _ if field.repeated => self.array(field, depth),
            Some(of) => {
                let watch = match watched {
                    Some(Watched::Message(watch)) => Some(watch),
                    _ => None,
                };
                self.submessage(field.number, self.schema.get(of), depth, watch)
            }
            None => self.scalar(field, !field.presence),
        }
    }

    /// The whole text's value into the one field that a binding's body fills. `watch` is of the message in it.
    pub fn body_field(&mut self, field: &Field, watch: Option<&Watch>) -> Read<()> {
        match field.message {
            Some(of) if !field.repeated => self.submessage(field.number, self.schema.get(of), 1, watch),
            _ => self.field(field, 1, None),
        }
        .map_err(|fail| within(fail, &field.name))
    }

    /// A field that was given by its proto name and, further on, also by its JSON name is to blame before what else is wrong there.
    /// Not looked for in what is long: it would be looked for at every level.
    #[cold]
    fn blame(&mut self, of: &MessageType, frame: usize, value_at: usize, fail: Box<Fail>) -> Box<Fail> {
        self.members.rewind(frame);
        if !of.odd_names || !self.members.any_named() || !matches!(*fail, Fail::Misfit(_)) {
            return fail;
        }
        if self.cursor.text.len() - value_at > LOOKED_AHEAD_BYTES {
            return fail;
        }
        let mut ahead = Cursor { text: self.cursor.text, at: value_at };
        loop {
            if skip(&mut ahead).is_err() || !ahead.more(b'}').unwrap_or(false) {
                return fail;
            }
            let Ok(key) = ahead.string() else { return fail };
            if let Some(slot) = of.keys.find(key.as_bytes())
                && !of.keys.keys[slot as usize].is_name
                && self.members.is_named(slot)
            {
                return given_twice(&of.fields[self.members.namer(of, slot)]);
            }
            if ahead.expect(b':').is_err() {
                return fail;
            }
            ahead.next();
        }
    }
}

#[cold]
fn given_twice(field: &Field) -> Box<Fail> {
    let text = format!("is given twice, as {} and as {}", field.name, field.json_name);
    within(Misfit::new(text).into(), &field.name)
}

//! From JSON text straight to wire bytes: google.protobuf.Any, a message that names its type.
//!
//! Owns the form `{"@type": url, ...fields}` and `{"@type": url, "value": json}` for special types. The type may be named last: then the
//! object is looked through once, and what is found there of the objects within is kept, so that Anys within Anys cost no more.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::explain::skip;
use super::misfit::{Misfit, Piece, Read, misfit, syntax, within};
use super::reader::Reader;
use super::required::missing;
use super::schema::{MessageType, Special};
use super::wire::{LEN, close, open, put_tag, put_varint};

/// How much of a text is looked through at each level to word a refusal.
pub const LOOKED_AHEAD_BYTES: usize = 1 << 16;
const EMPTY: &str = "google.protobuf.Empty";

impl Reader<'_, '_> {
    pub fn any(&mut self, depth: u32) -> Read<()> {
        let start = self.cursor.at;
        if !self.enter(b'{', depth)? {
            return Ok(());
        }
        self.cursor.at = start;
        let (url, of) = self.named_type(start)?;
        put_tag(&mut self.out, 1, LEN);
        put_varint(&mut self.out, url.len() as u64);
        self.out.extend_from_slice(url.as_bytes());
        let field = self.out.len();
        put_tag(&mut self.out, 2, LEN);
        let mark = open(&mut self.out);
        let of = self.schema.get(of);
        if of.special != Special::No {
            self.under_value(of, depth)?;
        } else if !(of.full_name == EMPTY && self.is_nothing()) {
            self.object(of, depth, None, true)?;
        }
        if of.requires
            && let Some(path) = missing(self.schema, of, &self.out[mark + 1..])?
        {
            return Err(Misfit::new("is required").under(path).into());
        }
        if self.out.len() == mark + 1 {
            self.out.truncate(field);
        } else {
            close(&mut self.out, mark);
        }
        Ok(())
    }

    /// The url and the type of the object that begins at `start`.
    fn named_type(&mut self, start: usize) -> Read<(String, u32)> {
        let of_type = |text: Vec<Piece>| Err(Misfit::pieces(text).under("@type").into());
        let place = self.type_place(start)?;
        let url = match place {
            Some(at) if self.cursor.text.get(at) == Some(&b'"') => {
                Cursor { text: self.cursor.text, at }.string()?.into_owned()
            }
            _ => return of_type(vec!["must name the message's type".into()]),
        };
        let name = url.rsplit_once('/').map_or("", |(_, name)| name);
        let found = match self.schema.find(name) {
            Some(of) => Some(of),
            None if name.is_empty() => None,
            None => self.loader.load(name).map_err(|error| Box::new(super::misfit::Fail::Python(error)))?,
        };
        let Some(of) = found else {
            return of_type(vec![Piece::Text(url), " is no message type of this API".into()]);
        };
        if let Some(group) = &self.schema.get(of).group {
            return of_type(vec![group.clone().into()]);
        }
        Ok((url, of))
    }

    /// Where the value of the `@type` of the object at `start` begins.
    fn type_place(&mut self, start: usize) -> Read<Option<usize>> {
        let mut first = Cursor { text: self.cursor.text, at: start + 1 };
        first.next();
        if first.string()? == "@type" {
            first.expect(b':')?;
            first.next();
            return Ok(Some(first.at));
        }
        if start >= self.types.1 {
            self.look_through(start)?;
        }
        Ok(self.types.0.get(&start).copied())
    }

    /// Notes each `@type` in the object at `start`, at any depth.
    fn look_through(&mut self, start: usize) -> Read<()> {
        let mut cursor = Cursor { text: self.cursor.text, at: start };
        skip(&mut cursor)?; // from here on the text is known to be JSON
        let end = cursor.at;
        cursor.at = start;
        let mut open = Vec::new();
        let mut key = false; // whether a string here is a key
        while cursor.at < end {
            match cursor.next() {
                b'{' => {
                    open.push(cursor.at);
                    key = true;
                    cursor.at += 1;
                }
                b'[' => {
                    open.push(usize::MAX);
                    key = false;
                    cursor.at += 1;
                }
                b'}' | b']' => {
                    open.pop();
                    cursor.at += 1;
                }
                b',' => {
                    key = open.last() != Some(&usize::MAX);
                    cursor.at += 1;
                }
                b'"' => {
                    let text = cursor.string()?;
                    if key && text == "@type" {
                        cursor.expect(b':')?;
                        cursor.next();
                        self.types.0.insert(open.last().copied().unwrap_or(start), cursor.at);
                    }
                    key = false;
                }
                _ => cursor.at += 1,
            }
        }
        self.types.1 = end;
        Ok(())
    }

    /// `{"@type": url, "value": json}`, and nothing else.
    fn under_value(&mut self, of: &MessageType, depth: u32) -> Read<()> {
        self.enter(b'{', depth)?;
        let (mut typed, mut found) = (false, false);
        loop {
            let key = self.cursor.string()?;
            self.cursor.expect(b':')?;
            self.cursor.next();
            match &*key {
                "@type" if !typed => {
                    typed = true;
                    skip(&mut self.cursor)?;
                }
                "value" if !found => {
                    found = true;
                    let place = self.cursor.at;
                    if let Err(fail) = self.message(of, depth + 1, None) {
                        return if self.holds_more(place) { must_hold(of) } else { Err(within(fail, "value")) };
                    }
                }
                "@type" | "value" => return syntax(),
                _ => return must_hold(of),
            }
            if !self.cursor.more(b'}')? {
                return if found { Ok(()) } else { must_hold(of) };
            }
        }
    }

    /// Whether an object has keys behind the value at `place` that it should not have. Not looked for in what is long: it would be
    /// looked for at every level.
    #[cold]
    fn holds_more(&self, place: usize) -> bool {
        let mut cursor = Cursor { text: self.cursor.text, at: place };
        if self.cursor.text.len() - place > LOOKED_AHEAD_BYTES {
            return false;
        }
        while skip(&mut cursor).is_ok() && cursor.more(b'}').unwrap_or(false) {
            match cursor.string() {
                Ok(key) if key == "@type" => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
            if cursor.expect(b':').is_err() {
                return false;
            }
            cursor.next();
        }
        false
    }

    /// The keys of the object at `start`, and where their values begin.
    fn keys_at(&self, start: usize) -> Read<Vec<(Cow<'_, str>, usize)>> {
        let mut cursor = Cursor { text: self.cursor.text, at: start + 1 };
        let mut keys = Vec::new();
        cursor.next();
        loop {
            let key = cursor.string()?;
            cursor.expect(b':')?;
            cursor.next();
            keys.push((key, cursor.at));
            skip(&mut cursor)?;
            if !cursor.more(b'}')? {
                return Ok(keys);
            }
        }
    }

    /// Go's protojson counts Empty among the special types and writes `"value": {}`; this skips an object that is just that.
    fn is_nothing(&mut self) -> bool {
        let Ok(keys) = self.keys_at(self.cursor.at) else {
            return false;
        };
        let mut values = keys.iter().filter(|(key, _)| key != "@type");
        let (Some((key, place)), None) = (values.next(), values.next()) else {
            return false;
        };
        let mut inside = Cursor { text: self.cursor.text, at: *place };
        let empty = key == "value" && inside.expect(b'{').is_ok() && inside.next() == b'}';
        let mut end = self.cursor.clone();
        if empty && skip(&mut end).is_ok() {
            drop(keys);
            self.cursor = end;
            return true;
        }
        false
    }
}

fn must_hold<T>(of: &MessageType) -> Read<T> {
    misfit(format!("must hold its {} under value, and nothing else", of.full_name))
}

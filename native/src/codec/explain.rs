//! Strict JSON, looked at for its own sake: why a text is refused, and values that are skipped.
//!
//! Owns what RFC 8259 leaves open: duplicate keys, NaN and Infinity, byte order marks and lone surrogates are refused. Nothing here
//! recurses past `MAX_LEVELS` or takes more than linear time (times a logarithm for the keys of one object).
//! Source: RFC 8259, RFC 7493 (I-JSON). Texts and offsets are the portable engine's.

use std::borrow::Cow;

use super::cursor::{Cursor, MAX_DIGITS, digits, hex4};
use super::key_places::{KeyPlaces, key_at};
use super::misfit::{Fail, Misfit, Read, shortened, syntax};
use super::text::run_end;

/// Containers within containers that are looked at; past that the text is refused as too deep.
pub const MAX_LEVELS: u32 = 900;
pub const TOO_DEEP: &str = "the JSON is nested too deep";

/// Why a body is no JSON that is taken, None when it is.
pub fn explain(body: &[u8]) -> Option<Misfit> {
    match std::str::from_utf8(body) {
        Err(error) => Some(Misfit::new("the body is not valid UTF-8").offset(error.valid_up_to())),
        Ok(text) => explain_text(text),
    }
}

/// Why a text is no JSON that is taken.
pub fn explain_text(text: &str) -> Option<Misfit> {
    if text.starts_with('\u{feff}') {
        return Some(Misfit::new("JSON must not start with a byte order mark").offset(0));
    }
    if let Some(offset) = lone_surrogate(text.as_bytes()) {
        return Some(Misfit::new("a lone surrogate is not a character").offset(characters(text, offset)));
    }
    let mut look = Look { cursor: Cursor::new(text.as_bytes()), deepest: 0, reason: None };
    match look.whole() {
        Ok(None) => None,
        Ok(Some(path)) => Some(Misfit::new("the key appears twice in one object").under(spelled(&path))),
        Err(_) => {
            let (at, reason) = look.reason.unwrap_or((0, Cow::Borrowed("Expecting value")));
            let misfit = match reason.strip_prefix('!') {
                Some(deep) => return Some(Misfit::new(deep.to_owned())),
                None => Misfit::new(format!("invalid JSON: {reason}")),
            };
            Some(if at == usize::MAX { misfit } else { misfit.offset(characters(text, at)) })
        }
    }
}

/// Skips the value at the cursor; how many containers nest in it. Fails as `Syntax` at what `explain` refuses.
pub fn skip(cursor: &mut Cursor<'_>) -> Read<u32> {
    let mut look = Look { cursor: cursor.clone(), deepest: 0, reason: None };
    let twice = look.value(0)?;
    cursor.at = look.cursor.at;
    if twice.is_some() { syntax() } else { Ok(look.deepest) }
}

fn characters(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// The offset of the first escaped surrogate without its other half.
fn lone_surrogate(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text.get(at..)?.iter().position(|&byte| byte == b'\\') {
        at += found;
        if text.get(at + 1) == Some(&b'u') {
            match hex4(text, at + 2) {
                Some(0xD800..0xDC00) if text.get(at + 6..at + 8) == Some(b"\\u") => match hex4(text, at + 8) {
                    Some(0xDC00..0xE000) => at += 10,
                    _ => return Some(at),
                },
                Some(0xD800..0xE000) => return Some(at),
                _ => {}
            }
        }
        at += 2;
    }
    None
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// The way to a duplicate key, from the inside out.
type Twice = Option<Vec<Step>>;

fn spelled(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path.iter().rev() {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&shortened(key));
            }
        }
    }
    text
}

struct Look<'a> {
    cursor: Cursor<'a>,
    deepest: u32,
    /// Where and why, in the words of Python's json; a place of usize::MAX is none.
    reason: Option<(usize, Cow<'static, str>)>,
}

impl Look<'_> {
    fn refuse<T>(&mut self, at: usize, reason: impl Into<Cow<'static, str>>) -> Read<T> {
        self.reason = Some((at, reason.into()));
        Err(Box::new(Fail::Syntax))
    }

    fn whole(&mut self) -> Read<Twice> {
        self.cursor.next();
        let twice = self.value(0)?;
        self.cursor.next();
        if self.cursor.at < self.cursor.text.len() {
            return self.refuse(self.cursor.at, "Extra data");
        }
        Ok(twice)
    }

    fn value(&mut self, level: u32) -> Read<Twice> {
        match self.cursor.peek() {
            b'{' => self.object(level),
            b'[' => self.array(level),
            b'"' => self.string().map(|_| None),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'N' => self.constant("NaN"),
            b'I' => self.constant("Infinity"),
            b'-' if self.cursor.text[self.cursor.at..].starts_with(b"-Infinity") => self.constant("-Infinity"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str) -> Read<Twice> {
        if self.cursor.literal(word.as_bytes()).is_err() {
            return self.refuse(self.cursor.at, "Expecting value");
        }
        Ok(None)
    }

    fn constant(&mut self, name: &'static str) -> Read<Twice> {
        self.word(name)?;
        self.refuse(usize::MAX, format!("{name} must be written as a string"))
    }

    fn number(&mut self) -> Read<Twice> {
        let start = self.cursor.at;
        if self.cursor.number().is_ok() {
            return Ok(None);
        }
        let sign = usize::from(self.cursor.peek() == b'-');
        if digits(&self.cursor.text[start + sign..]) > MAX_DIGITS {
            return self.refuse(usize::MAX, "a number has too many digits");
        }
        self.refuse(start, "Expecting value")
    }

    fn string(&mut self) -> Read<Cow<'_, str>> {
        let start = self.cursor.at;
        if self.cursor.string().is_err() {
            let (at, reason) = string_flaw(self.cursor.text, start);
            return self.refuse(at, reason);
        }
        let end = self.cursor.at;
        Cursor { text: self.cursor.text, at: start }.string().inspect(|_| self.cursor.at = end)
    }

    fn enter(&mut self, level: u32) -> Read<u32> {
        if level >= MAX_LEVELS {
            return self.refuse(usize::MAX, format!("!{TOO_DEEP}"));
        }
        self.deepest = self.deepest.max(level + 1);
        self.cursor.at += 1;
        self.cursor.next();
        Ok(level + 1)
    }

    fn array(&mut self, level: u32) -> Read<Twice> {
        let level = self.enter(level)?;
        let (mut twice, mut index) = (None, 0);
        if self.cursor.peek() == b']' {
            self.cursor.at += 1;
            return Ok(None);
        }
        loop {
            if let Some(mut inner) = self.value(level)? {
                inner.push(Step::Index(index));
                twice = Some(inner);
            }
            index += 1;
            match self.cursor.more(b']') {
                Ok(true) => {}
                Ok(false) => return Ok(twice),
                Err(_) => return self.refuse(self.cursor.at, "Expecting ',' delimiter"),
            }
        }
    }

    fn object(&mut self, level: u32) -> Read<Twice> {
        let level = self.enter(level)?;
        if self.cursor.peek() == b'}' {
            self.cursor.at += 1;
            return Ok(None);
        }
        let (mut twice, mut keys) = (None, KeyPlaces::default());
        loop {
            if self.cursor.peek() != b'"' {
                return self.refuse(self.cursor.at, "Expecting property name enclosed in double quotes");
            }
            let start = self.cursor.at;
            self.string()?;
            keys.note(start);
            if self.cursor.expect(b':').is_err() {
                return self.refuse(self.cursor.at, "Expecting ':' delimiter");
            }
            self.cursor.next();
            if let Some(mut inner) = self.value(level)? {
                inner.push(Step::Key(key_at(self.cursor.text, start).into_owned()));
                twice = Some(inner);
            }
            match self.cursor.more(b'}') {
                Ok(true) => {}
                Ok(false) => {
                    let own = keys.first_again(self.cursor.text).map(|key| vec![Step::Key(key.into_owned())]);
                    return Ok(own.or(twice));
                }
                Err(_) => return self.refuse(self.cursor.at, "Expecting ',' delimiter"),
            }
        }
    }
}

/// What is wrong with the string that begins at `start`.
fn string_flaw(text: &[u8], start: usize) -> (usize, &'static str) {
    let mut at = start + 1;
    loop {
        let end = run_end(text, at);
        match text.get(end) {
            None => return (start, "Unterminated string starting at"),
            Some(b'"') => return (start, "Unterminated string starting at"),
            Some(b'\\') => match text.get(end + 1) {
                None => return (start, "Unterminated string starting at"),
                Some(b'u') if hex4(text, end + 2).is_none() || end + 6 >= text.len() => {
                    return (end + 1, "Invalid \\uXXXX escape");
                }
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u') => at = end + 2,
                Some(_) => return (end, "Invalid \\escape"),
            },
            Some(_) => return (end, "Invalid control character at"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_refused_and_where() {
        for (text, offset) in [
            (&b"\xc3\x28"[..], Some(0)),
            (b"{} x", Some(3)),
            (b"[1,]", Some(3)),
            (b"01", Some(1)),
            (br#"{"a": "\ud800"}"#, Some(7)),
            (b"", Some(0)),
            (b"NaN", None),
        ] {
            assert_eq!(explain(text).expect("refused").offset, offset, "{text:?}");
        }
        assert!(explain(b"[").is_some());
        assert!(explain(&b"[".repeat(1_000_000)).unwrap().text[0] == Piece::from(TOO_DEEP.to_owned()));
        assert_eq!(explain(br#"{"x":{"y":[0,{"a":1,"b":2,"\u0061":3}]}}"#).unwrap().path, "x.y[1].a");
    }

    use super::super::misfit::Piece;

    proptest! {
        #[test]
        fn any_bytes_are_json_or_explained(bytes: Vec<u8>) {
            let _ = explain(&bytes);
        }

        #[test]
        fn what_is_skipped_needs_no_explanation(text in r#"[\[\]{}",:a0\\-]{0,24}"#) {
            let mut cursor = Cursor::new(text.as_bytes());
            cursor.next();
            let skipped = skip(&mut cursor).is_ok() && cursor.end().is_ok();
            prop_assert_eq!(skipped, explain(text.as_bytes()).is_none());
        }
    }
}

//! A place in a JSON text, and the tokens that can stand there.
//!
//! Owns RFC 8259's grammar of strings and numbers. The text is UTF-8 (checked before); what is not JSON is `Fail::Syntax`, without a
//! reason: finding the reason is `explain`'s, paid only by who sent it.

use std::borrow::Cow;

use super::misfit::{Read, syntax};
use super::text::run_end;

/// What Python's integers are read up to; longer ones are refused before any work is done on them.
pub const MAX_DIGITS: usize = 4300;

#[derive(Clone)]
pub struct Cursor<'a> {
    pub text: &'a [u8],
    pub at: usize,
}

/// A number as it is written.
#[derive(Clone, Copy)]
pub struct Number<'a> {
    pub text: &'a str,
    pub integer: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The byte here; 0, which no token begins with, at the end.
    #[inline]
    pub fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Skips white space; the byte that follows.
    #[inline]
    pub fn next(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[inline]
    pub fn expect(&mut self, byte: u8) -> Read<()> {
        if self.next() != byte {
            return syntax();
        }
        self.at += 1;
        Ok(())
    }

    /// After an element: true at a comma (skipped with the space behind it), false at `end` (skipped).
    #[inline]
    pub fn more(&mut self, end: u8) -> Read<bool> {
        match self.next() {
            b',' => {
                self.at += 1;
                self.next();
                Ok(true)
            }
            byte if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => syntax(),
        }
    }

    pub fn literal(&mut self, word: &[u8]) -> Read<()> {
        if !self.text[self.at..].starts_with(word) {
            return syntax();
        }
        self.at += word.len();
        Ok(())
    }

    /// Only white space is left.
    pub fn end(&mut self) -> Read<()> {
        if self.next() == 0 && self.at >= self.text.len() { Ok(()) } else { syntax() }
    }

    /// A string; decoded only if it has an escape.
    #[inline]
    pub fn string(&mut self) -> Read<Cow<'a, str>> {
        if self.peek() != b'"' {
            return syntax();
        }
        let start = self.at + 1;
        let end = run_end(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return utf8(&self.text[start..end]).map(Cow::Borrowed);
        }
        let mut decoded = Vec::with_capacity(end - start + 16);
        self.string_into(&mut decoded)?;
        String::from_utf8(decoded).map(Cow::Owned).or_else(|_| syntax())
    }

    /// A string's characters, appended to `out`.
    #[inline]
    pub fn string_into(&mut self, out: &mut Vec<u8>) -> Read<()> {
        let mut at = self.at + 1;
        loop {
            let end = run_end(self.text, at);
            out.extend_from_slice(&self.text[at..end]);
            match self.text.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(());
                }
                Some(b'\\') => at = unescape(self.text, end + 1, out)?,
                _ => return syntax(),
            }
        }
    }

    /// A number: the longest text from here that is one.
    #[inline]
    pub fn number(&mut self) -> Read<Number<'a>> {
        let (text, mut at) = (self.text, self.at);
        let digits = |at: usize| at + digits(&text[at..]);
        at += usize::from(self.peek() == b'-');
        let whole = at;
        at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at) };
        if at == whole {
            return syntax();
        }
        let count = at - whole;
        let mut integer = true;
        if text.get(at) == Some(&b'.') {
            let end = digits(at + 1);
            if end > at + 1 {
                (at, integer) = (end, false);
            }
        }
        if matches!(text.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
            let end = digits(at + 1 + sign);
            if end > at + 1 + sign {
                (at, integer) = (end, false);
            }
        }
        if integer && count > MAX_DIGITS {
            return syntax();
        }
        let written = utf8(&text[self.at..at])?;
        self.at = at;
        Ok(Number { text: written, integer })
    }
}

/// How many digits a text begins with. Eight at a time while they last: a million of them are an attack (reliability.md E1).
#[inline]
pub fn digits(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(Ok(eight)) = text.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let beyond_nine = u64::from_ne_bytes(eight) ^ 0x3030_3030_3030_3030;
        if (beyond_nine | beyond_nine.wrapping_add(0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 != 0 {
            break;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The whole text was checked before; a slice of it between ASCII characters is UTF-8 too.
#[inline]
fn utf8(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).or_else(|_| syntax())
}

/// Decodes the escape whose backslash stands before `at`; where it ends.
fn unescape(text: &[u8], at: usize, out: &mut Vec<u8>) -> Read<usize> {
    let plain = match text.get(at) {
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => return unicode(text, at + 1, out),
        _ => return syntax(),
    };
    out.push(plain);
    Ok(at + 1)
}

fn unicode(text: &[u8], at: usize, out: &mut Vec<u8>) -> Read<usize> {
    let Some(high) = hex4(text, at) else {
        return syntax();
    };
    let (code, end) = if (0xD800..0xDC00).contains(&high) {
        if !text[at + 4..].starts_with(b"\\u") {
            return syntax();
        }
        match hex4(text, at + 6) {
            Some(low @ 0xDC00..0xE000) => (0x10000 + ((high - 0xD800) << 10 | (low - 0xDC00)), at + 10),
            _ => return syntax(),
        }
    } else {
        (high, at + 4)
    };
    let Some(character) = char::from_u32(code) else {
        return syntax();
    };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(end)
}

/// The four hexadecimal digits at `at`.
pub fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let four = text.get(at..at + 4)?;
    four.iter().try_fold(0, |sum, &byte| Some(sum << 4 | char::from(byte).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_end_where_the_grammar_says() {
        for (text, written) in [("-0.5e+3,", "-0.5e+3"), ("01", "0"), ("1.", "1"), ("1e", "1"), ("12]", "12")] {
            assert_eq!(Cursor::new(text.as_bytes()).number().unwrap().text, written);
        }
        for text in ["-", "+1", ".5", "x", ""] {
            assert!(Cursor::new(text.as_bytes()).number().is_err());
        }
    }

    #[test]
    fn digits_end_at_any_other_byte_in_any_place() {
        for place in 0..20 {
            for other in (0..=255_u8).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = b"90817263549081726354"[..].to_vec();
                text[place] = other;
                assert_eq!(digits(&text), place);
            }
        }
        assert_eq!(digits(b"90817263549081726354"), 20);
    }

    #[test]
    fn lone_surrogates_are_no_text() {
        assert_eq!(Cursor::new(br#""\ud83d\ude00""#).string().unwrap(), "\u{1f600}");
        for text in [&br#""\ud83d""#[..], br#""\ude00\ud83d""#, br#""\ud83dx""#, br#""\u12"#, br#""\x""#, b"\"a"] {
            assert!(Cursor::new(text).string().is_err());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none(text: String) {
            for at in 0..text.len() {
                let _ = Cursor { text: text.as_bytes(), at }.string();
                let _ = Cursor { text: text.as_bytes(), at }.number();
            }
        }
    }
}

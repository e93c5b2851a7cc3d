//! A raw query string as decoded name-value pairs.
//!
//! Owns: `&` is the only separator (`;` is data), empty pieces vanish, `x` without `=` is an empty value, names are decoded like
//! values, `+` is a space where asked, and a malformed escape or text that is not UTF-8 is refused (why, the portable engine says).
//! Source: <https://url.spec.whatwg.org/#urlencoded-parsing>, made strict.

use std::borrow::Cow;

pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs in order; None when one is malformed.
pub fn parse(raw: &str, plus_is_space: bool) -> Option<Vec<Pair<'_>>> {
    raw.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Some((decode(name, plus_is_space)?, decode(value, plus_is_space)?))
        })
        .collect()
}

fn decode(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    let plain = |byte: u8| byte.is_ascii() && byte != b'%' && !(plus_is_space && byte == b'+');
    if text.bytes().all(plain) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'%' => {
                let digits = bytes.get(at..at + 2)?;
                let [high, low] = [digits[0], digits[1]].map(|digit| char::from(digit).to_digit(16));
                decoded.push((high? << 4 | low?) as u8);
                at += 2;
            }
            b'+' if plus_is_space => decoded.push(b' '),
            byte if byte.is_ascii() => decoded.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_and_spaces() {
        let pairs = parse("a=b+c%20d%2B;e&&f&=g&%24h=i=j", true).unwrap();
        let read: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(read, [("a", "b c d+;e"), ("f", ""), ("", "g"), ("$h", "i=j")]);
        assert_eq!(parse("a=b+c", false).unwrap()[0].1, "b+c");
        for raw in ["a=%", "a=%zz", "a=%ff", "é=1"] {
            assert!(parse(raw, true).is_none(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_none(raw in "[a-z%0-9+&=;é]{0,20}") {
            let _ = parse(&raw, true);
        }
    }
}

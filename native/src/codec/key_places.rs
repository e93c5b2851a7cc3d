//! The keys of one object, by where they stand in the text: whether one comes twice.
//!
//! Owns that telling costs linear time whatever the keys are: few are compared with each other, many are hashed with a secret (SipHash,
//! keyed by the process), so that nobody can choose keys that collide. Nothing is copied but keys with escapes.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::cursor::Cursor;

/// Up to so many keys are compared each with each, without a table.
const FEW: usize = 8;

#[derive(Default)]
pub struct KeyPlaces(Vec<usize>);

impl KeyPlaces {
    /// A key begins here, with its quote.
    #[inline]
    pub fn note(&mut self, at: usize) {
        self.0.push(at);
    }

    /// The key that is first given again.
    pub fn first_again<'t>(&self, text: &'t [u8]) -> Option<Cow<'t, str>> {
        if self.0.len() < 2 {
            return None;
        }
        if self.0.len() <= FEW {
            let mut seen: [Cow<'_, str>; FEW] = Default::default();
            for (count, key) in self.0.iter().map(|&at| key_at(text, at)).enumerate() {
                if seen[..count].contains(&key) {
                    return Some(key);
                }
                seen[count] = key;
            }
            return None;
        }
        self.many(text)
    }

    /// By a table of hashes and places, half empty: a set of texts would weigh six times as much.
    fn many<'t>(&self, text: &'t [u8]) -> Option<Cow<'t, str>> {
        let secret = RandomState::new();
        let mask = (self.0.len() * 2).next_power_of_two() - 1;
        let mut table = vec![(0u32, 0u32); mask + 1];
        for (number, &at) in (1..).zip(&self.0) {
            let key = key_at(text, at);
            let hash = secret.hash_one(key.as_bytes());
            let tag = (hash >> 32) as u32;
            let mut slot = hash as usize & mask;
            while table[slot].1 != 0 {
                let (other, place) = table[slot];
                if other == tag && key_at(text, self.0[place as usize - 1]) == key {
                    return Some(key);
                }
                slot = (slot + 1) & mask;
            }
            table[slot] = (tag, number);
        }
        None
    }
}

/// The key at a place; empty where none stands.
pub fn key_at(text: &[u8], at: usize) -> Cow<'_, str> {
    Cursor { text, at }.string().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_again(text: &str) -> Option<String> {
        let mut keys = KeyPlaces::default();
        for (at, _) in text.match_indices('"').step_by(2) {
            keys.note(at);
        }
        keys.first_again(text.as_bytes()).map(Cow::into_owned)
    }

    #[test]
    fn the_first_that_comes_again_is_told() {
        assert_eq!(first_again(r#""a" "b""#), None);
        assert_eq!(first_again(r#""a" "b" "c" "b" "a""#).as_deref(), Some("b"));
        assert_eq!(first_again(r#""ab" "\u0061b""#).as_deref(), Some("ab"));
        let many: String = (0..100).map(|number| format!("\"{number}\" ")).collect();
        assert_eq!(first_again(&many), None);
        assert_eq!(first_again(&format!(r#"{many} "7" "3""#)).as_deref(), Some("7"));
    }
}

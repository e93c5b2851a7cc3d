//! From a JSON key to the field it means: a table made at load, which no client can fill.
//!
//! Owns both spellings of every name. A lookup costs one hash and, as good as always, one comparison; in an object whose members come
//! in the order of the fields only the comparison, for the reader guesses the next key first.

/// One spelling of one field's name.
#[derive(Debug)]
pub struct Key {
    pub text: Box<[u8]>,
    pub field: u16,
    /// Whether it is the proto name of a field with another JSON name.
    pub is_name: bool,
}

#[derive(Debug)]
pub struct KeyTable {
    pub keys: Vec<Key>,
    table: Vec<u16>,
}

const FREE: u16 = u16::MAX;

impl KeyTable {
    pub fn new(keys: Vec<Key>) -> Self {
        let size = (keys.len() * 2 + 1).next_power_of_two();
        let mut table = vec![FREE; size];
        for (slot, key) in keys.iter().enumerate() {
            let mut at = hash(&key.text) & (size - 1);
            while table[at] != FREE {
                at = (at + 1) & (size - 1);
            }
            table[at] = slot as u16;
        }
        Self { keys, table }
    }

    /// The slot of a key.
    #[inline]
    pub fn find(&self, text: &[u8]) -> Option<u16> {
        let mask = self.table.len() - 1;
        let mut at = hash(text) & mask;
        loop {
            let slot = self.table[at];
            if slot == FREE {
                return None;
            }
            if *self.keys[slot as usize].text == *text {
                return Some(slot);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Length, first and last eight bytes: names of one message differ there or are compared a few times more.
#[inline]
fn hash(text: &[u8]) -> usize {
    let mixed = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => text.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)),
    };
    let spread = (mixed ^ (text.len() as u64) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (spread >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        let names: Vec<String> = (0..500).map(|n| format!("field_with_a_long_name_{n}")).collect();
        let keys = names.iter().map(|n| Key { text: n.as_bytes().into(), field: 0, is_name: false }).collect();
        let table = KeyTable::new(keys);
        for (slot, name) in names.iter().enumerate() {
            assert_eq!(table.find(name.as_bytes()), Some(slot as u16));
        }
        assert_eq!(table.find(b"field"), None);
        assert_eq!(KeyTable::new(Vec::new()).find(b""), None);
    }
}

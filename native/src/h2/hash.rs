//! A hash that is fast and nothing else: its only use is in bounded tables, where a collision costs a comparison.

const MULTIPLIER: u64 = 0x517c_c1b7_2722_0a95; // FxHash's, of Firefox

/// Of some octets, eight at a time.
pub fn hash(data: &[u8]) -> u64 {
    let mut state = data.len() as u64;
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        state = mixed(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (place, octet) in last.iter_mut().zip(rest) {
        *place = *octet;
    }
    let state = mixed(state, u64::from_le_bytes(last));
    state ^ state >> 32
}

fn mixed(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER)
}

/// Hashes stream numbers, which count up and are few at a time.
#[derive(Default, Clone, Copy)]
pub struct NumberHasher(u64);

impl std::hash::Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        self.0 = hash(octets);
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (u64::from(number)).wrapping_mul(MULTIPLIER).rotate_left(32);
    }
}

pub type NumberMap<V> = std::collections::HashMap<u32, V, std::hash::BuildHasherDefault<NumberHasher>>;

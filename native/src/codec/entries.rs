//! The entries of a map in the order of their keys, and no key twice.
//!
//! Owns the sort of a Struct's fields. By comparison, not by hash: nothing that a client could aim at.

use std::borrow::Cow;

use super::key_order::ordered;
use super::misfit::{Read, syntax};

/// Puts the entries written from `start` on, each beginning where it says, in the order of their keys. A key that comes twice is no JSON.
pub fn sort(out: &mut Vec<u8>, start: usize, entries: &[(Cow<'_, str>, usize)]) -> Read<()> {
    if entries.is_sorted_by(|one, other| one.0 < other.0) {
        return Ok(());
    }
    let ends: Vec<usize> = entries.iter().skip(1).map(|entry| entry.1).chain([out.len()]).collect();
    let (order, again) = ordered(entries.len(), |index| entries[index].0.as_bytes());
    if again {
        return syntax();
    }
    let written = out.split_off(start);
    for index in order.into_iter().map(|index| index as usize) {
        out.extend_from_slice(&written[entries[index].1 - start..ends[index] - start]);
    }
    Ok(())
}

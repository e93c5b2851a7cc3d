//! The blocks a decoder has read lately, and what they came to: peers send the same few, call after call.
//!
//! Owns the condition under which a block means the same again. One that looks nothing up in the dynamic table always does, and adds the
//! same entries to it; one that does look up means the same as long as the table does. Bounds what a peer can have us hold: so many short
//! blocks, some 270 KiB of Python's objects and table entries with the worst shape tried.

use std::sync::Arc;

use super::block_facts::BlockFacts;
use super::dynamic_table::Entry;
use super::hash::hash;

const SLOTS: usize = 32;
const MAX_BLOCK_BYTES: usize = 256;
const MAX_BLOCK_FIELDS: usize = 32;

/// What a block came to. `added` are the entries it put into the table, the oldest first.
pub struct Outcome<F, L> {
    pub list: L,
    pub facts: BlockFacts,
    pub added: Vec<Arc<Entry<F>>>,
    /// It names entries of the dynamic table.
    pub looks_up: bool,
}

struct Remembered<F, L> {
    block: Vec<u8>,
    outcome: Outcome<F, L>,
}

/// Of one decoder.
pub struct BlockMemory<F, L> {
    slots: Vec<Option<Remembered<F, L>>>,
    /// The table's when what looks up was read: afterwards it can never be asked for again, and is not held any longer.
    epoch: u64,
    any_looks_up: bool,
}

impl<F, L> BlockMemory<F, L> {
    pub fn new() -> Self {
        Self { slots: Vec::new(), epoch: 0, any_looks_up: false }
    }

    /// What a block comes to, if that is known, in a table with this many changes behind it.
    pub fn find(&mut self, block: &[u8], epoch: u64) -> Option<&Outcome<F, L>> {
        self.see(epoch);
        let known = self.slots.get(slot(block))?.as_ref()?;
        (known.block == block).then_some(&known.outcome)
    }

    /// Remembers what a short block came to. `epoch` is the table's after it.
    pub fn keep(&mut self, block: &[u8], epoch: u64, outcome: Outcome<F, L>) {
        self.see(epoch);
        if !(block.len() <= MAX_BLOCK_BYTES && outcome.facts.fields <= MAX_BLOCK_FIELDS) {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        self.any_looks_up |= outcome.looks_up;
        match &mut self.slots[slot(block)] {
            Some(known) => {
                known.block.clear();
                known.block.extend_from_slice(block);
                known.outcome = outcome;
            }
            empty => *empty = Some(Remembered { block: block.to_vec(), outcome }),
        }
    }

    fn see(&mut self, epoch: u64) {
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        if std::mem::take(&mut self.any_looks_up) {
            for slot in &mut self.slots {
                slot.take_if(|known| known.outcome.looks_up);
            }
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}

fn slot(block: &[u8]) -> usize {
    hash(block) as usize % SLOTS
}

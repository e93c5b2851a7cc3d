//! The decoder's dynamic table (RFC 7541 sections 2.3.2 and 4): a bounded queue of fields, the newest first.

use std::collections::VecDeque;
use std::sync::Arc;

use super::field_kind::FieldFacts;

/// RFC 7541 section 4.1.
pub const ENTRY_OVERHEAD: usize = 32;
pub const DEFAULT_BYTES: usize = 4096;

pub struct Entry<F> {
    pub field: F,
    pub facts: FieldFacts,
    text: Box<[u8]>,
    name_bytes: usize,
}

impl<F> Entry<F> {
    pub fn new(field: F, facts: FieldFacts, name: &[u8], value: &[u8]) -> Self {
        let mut text = Vec::with_capacity(name.len() + value.len());
        text.extend_from_slice(name);
        text.extend_from_slice(value);
        Self { field, facts, text: text.into_boxed_slice(), name_bytes: name.len() }
    }

    pub fn name(&self) -> &[u8] {
        &self.text[..self.name_bytes]
    }

    pub fn value(&self) -> &[u8] {
        &self.text[self.name_bytes..]
    }

    fn size(&self) -> usize {
        self.text.len() + ENTRY_OVERHEAD
    }
}

pub struct DynamicTable<F> {
    entries: VecDeque<Arc<Entry<F>>>,
    used: usize,
    limit: usize,
    /// Counts changes: what was read under another count may mean something else now.
    pub epoch: u64,
}

impl<F> DynamicTable<F> {
    pub fn new() -> Self {
        Self { entries: VecDeque::new(), used: 0, limit: DEFAULT_BYTES, epoch: 0 }
    }

    /// The entry that is `age` insertions old, 0 for the newest.
    pub fn get(&self, age: usize) -> Option<&Entry<F>> {
        self.entries.get(age).map(Arc::as_ref)
    }

    /// Adds the newest; what does not fit empties the table (section 4.4).
    pub fn add(&mut self, entry: Arc<Entry<F>>) {
        self.epoch += 1;
        let size = entry.size();
        self.shrink(self.limit.saturating_sub(size));
        if size <= self.limit {
            self.used += size;
            self.entries.push_front(entry);
        }
    }

    /// A new limit (section 4.3); false when it is more than was agreed on.
    pub fn resize(&mut self, limit: usize) -> bool {
        if limit > DEFAULT_BYTES {
            return false;
        }
        self.epoch += 1;
        self.limit = limit;
        self.shrink(limit);
        true
    }

    fn shrink(&mut self, to: usize) {
        while self.used > to {
            match self.entries.pop_back() {
                Some(entry) => self.used -= entry.size(),
                None => self.used = 0,
            }
        }
    }

    /// The size of what is in it, as section 4.1 counts it.
    #[cfg(test)]
    pub fn used(&self) -> usize {
        self.used
    }
}

//! Reading header blocks (RFC 7541 section 6), with a memory for blocks that repeat.
//!
//! One look-up in that memory (`block_memory`) stands for decoding, judging and making objects; here it is found out what a block looks
//! up in the table and what it adds to it. Bounds the list by its size and by the number of its fields: a field may take one octet
//! there and seventy here.

use std::sync::Arc;

use super::block_facts::{BlockFacts, Judge};
use super::block_memory::{BlockMemory, Outcome};
use super::dynamic_table::{DynamicTable, ENTRY_OVERHEAD, Entry};
use super::field_kind::FieldFacts;
use super::host::Fields;
use super::hpack_error::HpackError;
use super::session::KEPT;
use super::{huffman, integer, static_table};

const INDEXED: u8 = 0x80;
const INCREMENTAL: u8 = 0x40;
const SIZE_UPDATE: u8 = 0x20;

/// The decoder of one connection.
pub struct Decoder<F, L> {
    table: DynamicTable<F>,
    max_list_bytes: usize,
    max_fields: usize,
    memory: BlockMemory<F, L>,
    judge: Judge,
    // Of the block that is being read.
    fields: Vec<F>,
    added: Vec<Arc<Entry<F>>>,
    looks_up: bool,
    resizes: bool,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl<F, L> Decoder<F, L> {
    pub fn new(max_list_bytes: usize, max_fields: usize) -> Self {
        Self {
            table: DynamicTable::new(),
            max_list_bytes,
            max_fields,
            memory: BlockMemory::new(),
            judge: Judge::default(),
            fields: Vec::new(),
            added: Vec::new(),
            looks_up: false,
            resizes: false,
            name: Vec::new(),
            value: Vec::new(),
        }
    }

    /// The list of a block and what it says.
    pub fn decode<H: Fields<Field = F, List = L>>(
        &mut self,
        block: &[u8],
        host: &mut H,
    ) -> Result<(L, BlockFacts), HpackError> {
        if let Some(known) = self.memory.find(block, self.table.epoch) {
            for entry in &known.added {
                self.table.add(Arc::clone(entry));
            }
            return Ok((host.share_list(&known.list), known.facts));
        }
        self.fields.clear();
        self.added.clear();
        (self.looks_up, self.resizes) = (false, false);
        self.judge.begin();
        self.read(block, host)?;
        self.name.shrink_to(KEPT);
        self.value.shrink_to(KEPT);
        let list = host.list(&mut self.fields);
        let facts = self.judge.facts();
        let (added, looks_up) = (std::mem::take(&mut self.added), self.looks_up);
        // What looks up and adds is not the same again: its own entries have moved the others.
        if !self.resizes && (added.is_empty() || !looks_up) {
            let outcome = Outcome { list: host.share_list(&list), facts, added, looks_up };
            self.memory.keep(block, self.table.epoch, outcome);
        }
        Ok((list, facts))
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.memory.len()
    }

    #[cfg(test)]
    pub fn forget(&mut self) {
        self.memory = BlockMemory::new();
    }

    #[cfg(test)]
    pub fn table_bytes(&self) -> usize {
        self.table.used()
    }

    fn read<H: Fields<Field = F, List = L>>(&mut self, block: &[u8], host: &mut H) -> Result<(), HpackError> {
        let mut rest = block;
        let mut list_bytes = 0;
        while let Some(&first) = rest.first() {
            let field_bytes;
            if first & INDEXED != 0 {
                let (index, after) = integer::decode(rest, 7)?;
                rest = after;
                field_bytes = self.indexed(index, host)?;
            } else if first & INCREMENTAL != 0 {
                (field_bytes, rest) = self.literal(rest, 6, host)?;
            } else if first & SIZE_UPDATE != 0 {
                if !self.fields.is_empty() {
                    return Err(HpackError::Malformed);
                }
                let (limit, after) = integer::decode(rest, 5)?;
                rest = after;
                self.resizes = true;
                if !self.table.resize(limit) {
                    return Err(HpackError::Malformed);
                }
                continue;
            } else {
                (field_bytes, rest) = self.literal(rest, 4, host)?;
            }
            list_bytes += field_bytes + ENTRY_OVERHEAD;
            if list_bytes > self.max_list_bytes || self.fields.len() > self.max_fields {
                return Err(HpackError::TooLarge);
            }
        }
        Ok(())
    }

    /// Section 6.1. The octets of name and value.
    fn indexed<H: Fields<Field = F, List = L>>(&mut self, index: usize, host: &mut H) -> Result<usize, HpackError> {
        let place = index.checked_sub(1).ok_or(HpackError::Malformed)?;
        if let Some(&(name, value)) = static_table::ENTRIES.get(place) {
            self.judge.see(static_table::FACTS[place], value);
            self.fields.push(host.static_field(place));
            return Ok(name.len() + value.len());
        }
        self.looks_up = true;
        let entry = self.table.get(place - static_table::COUNT).ok_or(HpackError::Malformed)?;
        self.judge.see(entry.facts, entry.value());
        self.fields.push(host.share(&entry.field));
        Ok(entry.name().len() + entry.value().len())
    }

    /// Section 6.2, with or without incremental indexing (whose index has six bits). The octets of name and value, and the rest.
    fn literal<'b, H: Fields<Field = F, List = L>>(
        &mut self,
        data: &'b [u8],
        prefix_bits: u32,
        host: &mut H,
    ) -> Result<(usize, &'b [u8]), HpackError> {
        let (index, after) = integer::decode(data, prefix_bits)?;
        let Some(place) = index.checked_sub(1) else {
            let (name, after) = string(after, &mut self.name)?;
            let (value, rest) = string(after, &mut self.value)?;
            let facts = FieldFacts::of(name, value);
            let field = host.field(name, value);
            let size = name.len() + value.len();
            self.judge.see(facts, value);
            if prefix_bits == 6 {
                let entry = Arc::new(Entry::new(host.share(&field), facts, name, value));
                self.added.push(Arc::clone(&entry));
                self.table.add(entry);
            }
            self.fields.push(field);
            return Ok((size, rest));
        };
        let (value, rest) = string(after, &mut self.value)?;
        let (name, facts, field) = match static_table::ENTRIES.get(place) {
            Some(&(name, _)) => {
                let like = host.static_field(place);
                (name, static_table::FACTS[place], host.named_like(&like, value))
            }
            None => {
                self.looks_up = true;
                let entry = self.table.get(place - static_table::COUNT).ok_or(HpackError::Malformed)?;
                (entry.name(), entry.facts, host.named_like(&entry.field, value))
            }
        };
        let facts = FieldFacts::with_kind(facts.kind, value);
        let size = name.len() + value.len();
        self.judge.see(facts, value);
        if prefix_bits == 6 {
            let entry = Arc::new(Entry::new(host.share(&field), facts, name, value));
            self.added.push(Arc::clone(&entry));
            self.table.add(entry);
        }
        self.fields.push(field);
        Ok((size, rest))
    }
}

/// A string literal (section 5.2), and the rest; Huffman-coded ones are read into `scratch`.
fn string<'a, 'b: 'a>(data: &'b [u8], scratch: &'a mut Vec<u8>) -> Result<(&'a [u8], &'b [u8]), HpackError> {
    let coded = data.first().is_some_and(|first| first & 0x80 != 0);
    let (size, after) = integer::decode(data, 7)?;
    let (text, rest) = after.split_at_checked(size).ok_or(HpackError::Malformed)?;
    if !coded {
        return Ok((text, rest));
    }
    scratch.clear();
    huffman::decode(text, scratch)?;
    Ok((scratch, rest))
}

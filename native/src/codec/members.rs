//! What has been seen of the objects that are being read, one frame per nesting level, in shared stacks.
//!
//! Owns four facts per object: which keys came, which fields came by their proto name, which member each oneof has, and where each
//! field's bytes begin - so that fields can be put in the order of their numbers at the end.

use super::schema::MessageType;

#[derive(Default)]
pub struct Members {
    frames: Vec<Frame>,
    /// One bit per slot that came; then, for types with odd names, one per JSON slot whose field came by its proto name.
    bits: Vec<u64>,
    /// By oneof: the index of its member plus one.
    oneofs: Vec<u16>,
    /// The number of each field and where its bytes begin.
    chunks: Vec<(u32, usize)>,
}

struct Frame {
    bits: usize,
    words: usize,
    oneofs: usize,
    chunks: usize,
    start: usize,
}

impl Members {
    /// A frame for an object of this type whose bytes begin at `start`; to be closed, or rewound to.
    #[inline]
    pub fn open(&mut self, of: &MessageType, start: usize) -> usize {
        let words = of.keys.keys.len().div_ceil(64);
        let frame = Frame { bits: self.bits.len(), words, oneofs: self.oneofs.len(), chunks: self.chunks.len(), start };
        self.bits.resize(frame.bits + words * (1 + usize::from(of.odd_names)), 0);
        self.oneofs.resize(frame.oneofs + of.oneofs.len(), 0);
        self.frames.push(frame);
        self.frames.len() - 1
    }

    pub fn current(&self) -> usize {
        self.frames.len() - 1
    }

    /// Makes `frame` the innermost again after a failure within it.
    pub fn rewind(&mut self, frame: usize) {
        self.frames.truncate(frame + 1);
    }

    fn top(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    /// Whether a key has come.
    #[inline]
    pub fn has(&self, slot: u16) -> bool {
        self.bits[self.top().bits + slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Notes that a key came; false when it had come before.
    #[inline]
    pub fn first_time(&mut self, slot: u16) -> bool {
        let word = self.top().bits + slot as usize / 64;
        let bit = 1 << (slot % 64);
        let before = self.bits[word] & bit;
        self.bits[word] |= bit;
        before == 0
    }

    /// Notes that the field of this JSON slot came by its proto name.
    pub fn name(&mut self, slot: u16) {
        let frame = self.top();
        let word = frame.bits + frame.words + slot as usize / 64;
        self.bits[word] |= 1 << (slot % 64);
    }

    /// Whether a field that has this JSON name came by its proto name.
    pub fn is_named(&self, slot: u16) -> bool {
        let frame = self.top();
        self.bits[frame.bits + frame.words + slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    pub fn any_named(&self) -> bool {
        let frame = self.top();
        self.bits[frame.bits + frame.words..][..frame.words].iter().any(|&word| word != 0)
    }

    /// The field that came by its proto name and has this JSON name.
    pub fn namer(&self, of: &MessageType, slot: u16) -> usize {
        let came = |index: &usize| {
            let field = &of.fields[*index];
            !field.hidden && field.json_slot == slot && field.has_two_names() && self.has(field.name_slot)
        };
        (0..of.fields.len()).find(came).unwrap_or_default()
    }

    /// Notes a oneof's member; the other one that has it already, if any.
    #[inline]
    pub fn take(&mut self, oneof: u16, index: usize) -> Option<usize> {
        let place = self.top().oneofs + oneof as usize;
        let taken = self.oneofs[place] as usize;
        self.oneofs[place] = index as u16 + 1;
        (taken != 0 && taken != index + 1).then(|| taken - 1)
    }

    /// A field's bytes begin here.
    #[inline]
    pub fn begin(&mut self, number: u32, at: usize) -> usize {
        self.chunks.push((number, at));
        at
    }

    /// The field begun last has no bytes.
    #[inline]
    pub fn forget(&mut self) {
        self.chunks.pop();
    }

    /// Ends the frame: its fields' bytes are put in the order of their numbers.
    #[inline]
    pub fn close(&mut self, _frame: usize, out: &mut Vec<u8>) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let chunks = &self.chunks[frame.chunks..];
        if !chunks.is_sorted_by_key(|chunk| chunk.0) {
            reorder(chunks, frame.start, out);
        }
        self.chunks.truncate(frame.chunks);
        self.oneofs.truncate(frame.oneofs);
        self.bits.truncate(frame.bits);
    }
}

#[cold]
fn reorder(chunks: &[(u32, usize)], start: usize, out: &mut Vec<u8>) {
    let ends = chunks.iter().skip(1).map(|chunk| chunk.1).chain([out.len()]);
    let mut parts: Vec<_> = chunks.iter().zip(ends).map(|(&(number, from), to)| (number, from, to)).collect();
    parts.sort_by_key(|part| part.0);
    let written = out.split_off(start);
    for (_, from, to) in parts {
        out.extend_from_slice(&written[from - start..to - start]);
    }
}

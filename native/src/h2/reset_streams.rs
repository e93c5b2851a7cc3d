//! Which streams were reset, and by whom: frames for them may still be on their way (RFC 9113 section 5.1, "closed").
//!
//! Bounded: the oldest is forgotten, after which its late frames are judged as those of a stream that ended regularly. An attacker
//! who overflows it has spent the budget long before.

use std::collections::VecDeque;

use super::hash::NumberMap;

pub const MAX_REMEMBERED: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetBy {
    Us,
    Peer,
}

#[derive(Default)]
pub struct ResetStreams {
    by: NumberMap<ResetBy>,
    order: VecDeque<u32>,
}

impl ResetStreams {
    pub fn remember(&mut self, stream: u32, by: ResetBy) {
        if self.by.insert(stream, by).is_none() {
            self.order.push_back(stream);
        }
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.by.remove(&oldest);
        }
    }

    pub fn by(&self, stream: u32) -> Option<ResetBy> {
        self.by.get(&stream).copied()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

//! One stream: which ends are open, what of a message has been said, and its windows (RFC 9113 section 5.1).
//!
//! Streams that are over are not kept; of those that were reset `ResetStreams` remembers by whom.

use super::block_facts::BlockFacts;
use super::window::Window;

pub struct Stream {
    /// We may send more.
    pub open_out: bool,
    /// The peer may send more.
    pub open_in: bool,
    /// The final head was received, or sent.
    pub head_in: bool,
    pub head_out: bool,
    /// 1xx heads received.
    pub interims: u8,
    /// Opened with one gRPC message and the end of our side (`Session::ask`).
    pub unary: bool,
    /// What answers HEAD has a length and no body.
    pub bodiless: bool,
    pub announced: Option<u64>,
    pub received: u64,
    pub window_out: i64,
    pub window_in: Window,
}

impl Stream {
    pub fn new(window_out: i64, window_in: i64) -> Self {
        Self {
            open_out: true,
            open_in: true,
            head_in: false,
            head_out: false,
            interims: 0,
            unary: false,
            bodiless: false,
            announced: None,
            received: 0,
            window_out,
            window_in: Window::new(window_in),
        }
    }

    /// It has ended both ways.
    pub fn is_over(&self) -> bool {
        !self.open_out && !self.open_in
    }

    /// A header block came: how long the body is to be. False when it does not say so in one way.
    pub fn announce(&mut self, block: &BlockFacts) -> bool {
        if self.bodiless {
            self.announced = Some(0);
            return true;
        }
        self.announced = block.content_length;
        !block.length_fault
    }

    /// Body bytes came; false when they are not as announced (section 8.1.1).
    pub fn count(&mut self, size: usize, end: bool) -> bool {
        self.received = self.received.saturating_add(size as u64);
        self.announced.is_none_or(|announced| if end { announced == self.received } else { announced >= self.received })
    }
}

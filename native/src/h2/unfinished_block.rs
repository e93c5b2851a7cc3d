//! A header block whose CONTINUATIONs are still coming (RFC 9113 section 6.10), and how long it may grow.
//!
//! Bounded by number as well as by octets: empty CONTINUATIONs cost nothing to send (CVE-2024-27316). What the last frame brings
//! is bounded by its size alone.

use super::code::Failure;
use super::frame::Head;

/// With frames of the least size a peer may be held to, four are enough for all we take.
const MAX_CONTINUATIONS: usize = 16;

pub struct UnfinishedBlock {
    /// HEADERS, or PUSH_PROMISE, which only its end makes an error.
    pub head: Head,
    pub depends_on: Option<u32>,
    pub fragments: Vec<u8>,
    octets: usize,
    frames: usize,
}

impl UnfinishedBlock {
    pub fn new(head: Head, depends_on: Option<u32>) -> Self {
        Self { head, depends_on, fragments: Vec::new(), octets: 0, frames: 0 }
    }

    /// One more frame that does not end the block.
    pub fn add(&mut self, size: usize, fragment: &[u8], max_octets: usize) -> Result<(), Failure> {
        self.octets += size;
        self.frames += 1;
        if self.octets > max_octets || self.frames > MAX_CONTINUATIONS {
            return Err(Failure::calm("a header block of too many octets or frames"));
        }
        self.fragments.extend_from_slice(fragment);
        Ok(())
    }
}

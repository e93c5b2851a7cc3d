//! What the peer may send us: a window that opens by what was consumed, in few and large steps.
//!
//! Source: RFC 9113 section 5.2. The policy is python-hyper's, so that both engines say the same: half a window at once, or
//! what there is as soon as the window is closed.

use super::code::{FLOW_CONTROL_ERROR, Failure};

pub const LARGEST: i64 = 0x7fff_ffff;
pub const DEFAULT: i64 = 65_535;
const SMALLEST_STEP: i64 = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    limit: i64,
    left: i64,
    consumed: i64,
}

impl Window {
    pub const fn new(limit: i64) -> Self {
        Self { limit, left: limit, consumed: 0 }
    }

    /// Opens it further than it was at the beginning.
    pub fn enlarge(&mut self, size: i64) {
        self.left = (self.left + size).min(LARGEST);
        self.limit = self.limit.max(self.left);
    }

    /// The peer sent `size`.
    pub fn take(&mut self, size: usize) -> Result<(), Failure> {
        self.left -= size as i64;
        if self.left < 0 {
            return Err(Failure::new(FLOW_CONTROL_ERROR, "more than the window allows"));
        }
        Ok(())
    }

    /// The reader consumed `size`; the increment to announce, when it is worth a frame.
    pub fn consume(&mut self, size: i64) -> Option<u32> {
        self.consumed = self.consumed.saturating_add(size);
        let closed = self.left == 0 && self.consumed > SMALLEST_STEP.min(self.limit / 4);
        if self.consumed == 0 || !(closed || self.consumed >= self.limit / 2) {
            return None;
        }
        let step = self.consumed.min(self.limit - self.left);
        self.consumed = 0;
        self.left += step;
        if step > 0 { u32::try_from(step).ok() } else { None }
    }
}

/// What we may send: grows by the peer's WINDOW_UPDATE and SETTINGS (which may also make it negative).
pub fn grown(window: i64, by: i64) -> Result<i64, Failure> {
    let grown = window + by;
    if grown > LARGEST {
        return Err(Failure::new(FLOW_CONTROL_ERROR, "a window of more than 2^31 - 1"));
    }
    Ok(grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_window_is_given_back_at_once() {
        let mut window = Window::new(1000);
        window.take(1000).unwrap();
        assert_eq!(window.consume(100), None, "too little even for a closed window");
        assert_eq!(window.consume(151), Some(251), "a closed window opens early");
        assert_eq!(window.consume(499), None);
        assert_eq!(window.consume(1), Some(500));
    }

    #[test]
    fn it_never_opens_beyond_its_limit() {
        let mut window = Window::new(100);
        window.take(10).unwrap();
        assert_eq!(window.consume(90), Some(10));
        assert!(window.take(101).is_err());
    }

    #[test]
    fn a_peer_that_overruns_it_is_caught() {
        let mut window = Window::new(DEFAULT);
        window.enlarge(1000);
        window.take(66_535).unwrap();
        assert_eq!(window.take(1).unwrap_err().code, FLOW_CONTROL_ERROR);
        assert!(grown(LARGEST, 1).is_err());
        assert_eq!(grown(0, -5), Ok(-5));
    }
}

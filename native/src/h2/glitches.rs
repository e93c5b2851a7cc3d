//! What each oddity of the peer costs of its connection's budget; the budget itself is `edge.core.glitches.GlitchBudget`.
//!
//! The numbers and their reasons are those of `edge/core/glitches.py`; tests hold the two equal by their effect.

use super::frame;

pub const ANSWERED: u32 = 4;
pub const RESET: u32 = 10;
pub const REFUSED: u32 = 4;
pub const LATE_FRAME: u32 = 2;
pub const MAX_INTERIMS: u8 = 100;
pub const USUAL_FIELDS: usize = 200;
const EMPTY_DATA: u32 = 5;
const SETTINGS: u32 = 5;
const CONTROL: u32 = 2;

/// What a frame costs by its head alone; `first` is its payload's first octet.
pub fn frame_cost(head: frame::Head, first: u8) -> u32 {
    match head.kind {
        frame::DATA => {
            let padding = if head.has(frame::PADDED) { first as usize + 1 } else { 0 };
            if head.has(frame::END_STREAM) || head.size > padding { 0 } else { EMPTY_DATA }
        }
        frame::HEADERS | frame::CONTINUATION | frame::RST_STREAM | frame::PUSH_PROMISE => 0,
        frame::SETTINGS | frame::GOAWAY => SETTINGS,
        _ => CONTROL,
    }
}

/// What a header block of so many fields costs.
pub fn fields_cost(count: usize) -> u32 {
    count.saturating_sub(USUAL_FIELDS) as u32
}

//! What a session tells, and what whoever drives it provides: how fields are kept, who hears events, who counts misbehaviour.
//!
//! The session makes nothing of header text itself. A host turns fields and lists into whatever its reader wants, once; the
//! tables and the memory of blocks then hold these, and a repeated field or block costs a reference.

/// One event; what it borrows ends with the call. `unary`: what the head answers was opened with its one message (`Session::ask`).
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a, L> {
    Headers { stream: u32, headers: L, end: bool, interim: bool, unary: bool },
    Data { stream: u32, data: &'a [u8], flow_bytes: usize, end: bool },
    Trailers { stream: u32, headers: L },
    Reset { stream: u32, code: u32, by_peer: bool },
    WindowOpened { stream: u32 },
    Settings { max_concurrent_streams: u64, max_header_list_bytes: u64 },
    GoAway { last_stream: u32, code: u32, debug: &'a [u8] },
    PingAcknowledged { payload: &'a [u8] },
    Failed { code: u32, reason: &'static str },
}

/// Makes what header tables keep.
pub trait Fields {
    type Field;
    type List;

    fn field(&mut self, name: &[u8], value: &[u8]) -> Self::Field;
    /// A field with the name of another.
    fn named_like(&mut self, other: &Self::Field, value: &[u8]) -> Self::Field;
    /// Entry `index - 1` of the static table.
    fn static_field(&mut self, index: usize) -> Self::Field;
    fn share(&mut self, field: &Self::Field) -> Self::Field;
    fn list(&mut self, fields: &mut Vec<Self::Field>) -> Self::List;
    fn share_list(&mut self, list: &Self::List) -> Self::List;
}

/// Counts misbehaviour (`edge.core.glitches.GlitchBudget`).
pub trait Budget {
    /// The peer did something odd; whether its connection must end.
    fn charge(&mut self, points: u32) -> bool;
    /// The peer did something honest.
    fn earn(&mut self, points: u32);
}

pub trait Host: Fields + Budget {
    fn event(&mut self, event: Event<'_, Self::List>);
}

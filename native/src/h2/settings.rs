//! SETTINGS, ours and the peer's (RFC 9113 section 6.5).

use super::code::{FLOW_CONTROL_ERROR, Failure};
use super::window;

const HEADER_TABLE_SIZE: u16 = 0x1;
const ENABLE_PUSH: u16 = 0x2;
const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const MAX_FRAME_SIZE: u16 = 0x5;
const MAX_HEADER_LIST_SIZE: u16 = 0x6;
const ENABLE_CONNECT_PROTOCOL: u16 = 0x8; // RFC 8441

const LEAST_FRAME: u32 = 16_384;
const MOST_FRAME: u32 = (1 << 24) - 1;

/// More than SETTINGS can say: the peer has set no limit.
pub const UNLIMITED_STREAMS: u64 = (1 << 32) + 1;
pub const UNLIMITED_BYTES: u64 = 1 << 32;

/// What this side announces and enforces.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    pub max_concurrent_streams: u32,
    pub stream_window: u32,
    pub connection_window: u32,
    pub max_frame: u32,
    pub max_header_list: u32,
    /// Of a server: a stream may speak another protocol (RFC 8441).
    pub connect_protocol: bool,
}

impl Ours {
    /// Whether SETTINGS may say so.
    pub fn is_valid(&self) -> bool {
        i64::from(self.stream_window) <= window::LARGEST
            && i64::from(self.connection_window) <= window::LARGEST
            && (LEAST_FRAME..=MOST_FRAME).contains(&self.max_frame)
    }

    /// The payload of our SETTINGS.
    pub fn payload(&self, is_client: bool) -> Vec<u8> {
        let first = if is_client { (ENABLE_PUSH, 0) } else { (MAX_CONCURRENT_STREAMS, self.max_concurrent_streams) };
        let pairs = [
            first,
            (INITIAL_WINDOW_SIZE, self.stream_window),
            (MAX_FRAME_SIZE, self.max_frame),
            (MAX_HEADER_LIST_SIZE, self.max_header_list),
        ];
        let extended = (!is_client && self.connect_protocol).then_some((ENABLE_CONNECT_PROTOCOL, 1));
        let mut payload = Vec::new();
        for (name, value) in pairs.into_iter().chain(extended) {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        payload
    }
}

/// What the peer announced; the defaults are section 6.5.2's.
#[derive(Debug, Clone, Copy)]
pub struct Theirs {
    pub max_concurrent_streams: u64,
    pub stream_window: i64,
    pub max_frame: usize,
    pub max_header_list: u64,
}

/// What one SETTINGS changed beside what `Theirs` holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// The smallest of those named: it must be signalled even where a larger one follows (RFC 7541 section 4.2), which need not be used.
    pub header_table: Option<u32>,
    /// The initial window was named, and is so much larger.
    pub window_by: Option<i64>,
}

impl Theirs {
    pub const fn new() -> Self {
        Self {
            max_concurrent_streams: UNLIMITED_STREAMS,
            stream_window: window::DEFAULT,
            max_frame: LEAST_FRAME as usize,
            max_header_list: UNLIMITED_BYTES,
        }
    }

    /// Takes over what a payload says, in its order.
    pub fn apply(&mut self, payload: &[u8], from_server: bool) -> Result<Changes, Failure> {
        let (pairs, _) = payload.as_chunks::<6>(); // `frame::check` has seen to it that nothing remains
        let mut changes = Changes::default();
        let before = self.stream_window;
        for [a, b, c, d, e, f] in pairs {
            let value = u32::from_be_bytes([*c, *d, *e, *f]);
            match u16::from_be_bytes([*a, *b]) {
                HEADER_TABLE_SIZE => {
                    changes.header_table = Some(changes.header_table.map_or(value, |least: u32| least.min(value)));
                }
                ENABLE_PUSH if value > 1 || (from_server && value != 0) => return Err(bad()),
                MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = u64::from(value),
                INITIAL_WINDOW_SIZE => {
                    if i64::from(value) > window::LARGEST {
                        return Err(Failure::new(FLOW_CONTROL_ERROR, "an initial window of more than 2^31 - 1"));
                    }
                    self.stream_window = i64::from(value);
                    changes.window_by = Some(self.stream_window - before);
                }
                MAX_FRAME_SIZE if !(LEAST_FRAME..=MOST_FRAME).contains(&value) => return Err(bad()),
                MAX_FRAME_SIZE => self.max_frame = value as usize,
                MAX_HEADER_LIST_SIZE => self.max_header_list = u64::from(value),
                ENABLE_CONNECT_PROTOCOL if value > 1 => return Err(bad()),
                _ => {}
            }
        }
        Ok(changes)
    }
}

const fn bad() -> Failure {
    Failure::protocol("a setting with a value it may not have")
}

//! Error codes (RFC 9113 section 7) and the end of a connection.

pub const PROTOCOL_ERROR: u32 = 0x1;
pub const FLOW_CONTROL_ERROR: u32 = 0x3;
pub const STREAM_CLOSED: u32 = 0x5;
pub const FRAME_SIZE_ERROR: u32 = 0x6;
pub const REFUSED_STREAM: u32 = 0x7;
pub const COMPRESSION_ERROR: u32 = 0x9;
pub const ENHANCE_YOUR_CALM: u32 = 0xb;

/// A connection error (RFC 9113 section 5.4.1): nothing after it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub code: u32,
    pub reason: &'static str,
}

impl Failure {
    pub const fn new(code: u32, reason: &'static str) -> Self {
        Self { code, reason }
    }

    pub const fn protocol(reason: &'static str) -> Self {
        Self::new(PROTOCOL_ERROR, reason)
    }

    pub const fn size(reason: &'static str) -> Self {
        Self::new(FRAME_SIZE_ERROR, reason)
    }

    pub const fn calm(reason: &'static str) -> Self {
        Self::new(ENHANCE_YOUR_CALM, reason)
    }
}

//! Why a header block was not read.

use super::code::{COMPRESSION_ERROR, Failure};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HpackError {
    /// It does not decode: the compression state is lost, and the connection with it (RFC 9113 section 4.3).
    Malformed,
    /// It holds more than we announced to take.
    TooLarge,
}

impl From<HpackError> for Failure {
    fn from(error: HpackError) -> Self {
        match error {
            HpackError::Malformed => Failure::new(COMPRESSION_ERROR, "a header block that does not decode"),
            HpackError::TooLarge => Failure::calm("a header list larger than announced"),
        }
    }
}

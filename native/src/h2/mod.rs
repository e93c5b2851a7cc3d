//! HTTP/2 sessions, client and server role, sans-IO (`edge/wire/session.py`; docs/adr/0011-native-http2.md).
//!
//! From the outside in: `python` is the class, `caller` and `sent_fields` deal in Python's objects, `session` is what its owner does to
//! a connection, `reading`, `messages` and `endings` what the peer does, `decoder` and `encoder` are HPACK, the rest is one idea each.
//! Only `python`, `caller`, `sent_fields` and `vocabulary` know Python.

use pyo3::prelude::*;

mod block_facts;
mod block_memory;
mod caller;
mod code;
mod decoder;
mod dynamic_table;
mod encoder;
mod endings;
mod field_kind;
mod frame;
#[cfg(test)]
mod fuzz_tests;
mod glitches;
mod grpc_frame;
mod hash;
mod header_frames;
mod host;
mod hpack_error;
#[cfg(test)]
mod hpack_tests;
mod huffman;
mod huffman_codes;
mod integer;
mod messages;
#[cfg(test)]
mod plain_host;
mod python;
mod reading;
mod reset_streams;
mod sent_fields;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;
mod static_table;
mod stream;
mod unfinished_block;
mod vocabulary;
mod window;

/// Adds this module's classes to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<python::H2Session>()
}

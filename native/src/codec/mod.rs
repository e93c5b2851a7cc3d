//! The JSON-protobuf codec: JSON text straight to wire bytes and back, by tables compiled at load.
//!
//! Owns no rule of its own: `edge/wire/portable` is the reference, and both engines are held to the same tests. What is different is the
//! way: no tree of values in between, no message objects, and no hash that a client could aim at.
//! Source: <https://protobuf.dev/programming-guides/json/>, google/api/http.proto.

mod answer;
mod any;
mod api;
mod bind;
mod cursor;
mod entries;
mod explain;
mod fields;
mod floats;
#[cfg(test)]
mod fuzz_tests;
mod key_order;
mod key_places;
mod keys;
mod leaf;
mod load;
mod maps;
mod mask;
mod media_type;
mod members;
mod method;
mod misfit;
mod outline;
mod overlay;
mod parameters;
mod path;
mod printed_maps;
mod printed_special;
mod printer;
mod printing;
mod python;
mod query;
mod reader;
mod refusal;
mod required;
mod scalars;
mod schema;
mod selection;
mod special;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod values;
mod wire;

use pyo3::prelude::*;

/// Adds this module's classes to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<tables::Tables>()?;
    module.add_class::<method::MethodCodec>()
}

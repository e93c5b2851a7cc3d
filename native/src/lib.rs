//! `edge_native`: the native engine behind `edge/wire` (docs/adr/0002-two-engines.md).
//!
//! Sans-IO, no clock, no thread: bytes in, events and bytes out. A panic reaches Python as an exception, never as an abort.

use pyo3::prelude::*;

mod codec;
#[cfg(test)]
mod fuzz;
mod h2;
mod http1;

/// Of what Python calls here and what is called there: one more with each change that one side could not do without the other.
/// `edge/wire/engines.py` compares it with its own.
const INTERFACE: u32 = 3;

#[pymodule]
fn edge_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("INTERFACE", INTERFACE)?;
    h2::register(module)?;
    http1::register(module)?;
    codec::register(module)
}

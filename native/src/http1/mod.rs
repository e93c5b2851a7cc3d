//! HTTP/1.1 requests and answers of a server, sans-IO (`edge/wire/http1.py`; docs/adr/0013-native-http1.md).
//!
//! From the outside in: `python` is the class, `answer` makes an answer's bytes, `reader` goes from boundary to boundary, `scan` finds
//! a head's parts, `rules` says whether they may stand together, `chunks` takes a chunked body apart. Only `python`, `words` and
//! `answer` know Python.

use pyo3::prelude::*;

mod answer;
mod authority;
mod chars;
mod chunks;
mod flaw;
#[cfg(test)]
mod fuzz_seeds;
#[cfg(test)]
mod fuzz_tests;
mod methods;
mod python;
mod reader;
mod rules;
mod scan;
mod target;
#[cfg(test)]
mod tests;
mod words;

/// Adds this module's classes to the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<python::RequestReader>()?;
    module.add_function(wrap_pyfunction!(answer::render, module)?)
}

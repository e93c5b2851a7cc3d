use pyo3::prelude::*;

/// Adds this module's classes to the extension.
pub fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

//! A whole answer's bytes in one piece (`edge.wire.http1`): the field lines, and the proof that none breaks out of its line.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

/// `line`, `headers`, the answer's own `lines`, a blank line and `body`, joined.
///
/// Raises ValueError where a field has CR, LF or NUL, TypeError where one is no pair of bytes.
#[pyfunction]
pub fn render<'py>(
    line: &Bound<'py, PyBytes>,
    headers: &Bound<'py, PyAny>,
    length: Option<usize>,
    own: &Bound<'py, PyBytes>,
    date: &Bound<'py, PyBytes>,
    body: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = line.py();
    let body = body.as_bytes();
    let mut out = Vec::with_capacity(512 + body.len());
    out.extend_from_slice(line.as_bytes());
    if let Ok(fields) = headers.cast::<PyTuple>() {
        for field in fields.iter_borrowed() {
            add(&mut out, &field)?;
        }
    } else if let Ok(fields) = headers.cast::<PyList>() {
        for field in fields.iter() {
            add(&mut out, &field)?;
        }
    } else {
        for field in headers.try_iter()? {
            add(&mut out, &field?)?;
        }
    }
    if let Some(length) = length {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(own.as_bytes());
    out.extend_from_slice(date.as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    Ok(PyBytes::new(py, &out))
}

fn add(out: &mut Vec<u8>, field: &Bound<'_, PyAny>) -> PyResult<()> {
    let pair = field.cast::<PyTuple>()?;
    if pair.len() != 2 {
        return Err(PyTypeError::new_err("a field is a name and a value"));
    }
    let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
    for (part, behind) in [(name.cast::<PyBytes>()?, ": "), (value.cast::<PyBytes>()?, "\r\n")] {
        let part = part.as_bytes();
        if part.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return Err(PyValueError::new_err("CR, LF or NUL in a response field"));
        }
        out.extend_from_slice(part);
        out.extend_from_slice(behind.as_bytes());
    }
    Ok(())
}

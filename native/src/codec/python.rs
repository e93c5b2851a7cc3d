//! The seam to Python: the words of `edge.wire.codec` that are made here, and refusals as exceptions.
//!
//! Owns the quoting of values in error texts, which is Python's (`edge.wire.portable.misfit.shown`): both engines say the same.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::misfit::{Misfit, Piece};
use super::printer::Fail;
use super::refusal::{Refusal, Source};

/// What is imported from Python, once.
pub struct Words {
    request_message: Py<PyAny>,
    response_body: Py<PyAny>,
    new_tuple: Py<PyAny>,
    binding_error: Py<PyAny>,
    encode_error: Py<PyAny>,
    source: Py<PyAny>,
    shown: Py<PyAny>,
    loads: Py<PyAny>,
}

static WORDS: PyOnceLock<Words> = PyOnceLock::new();

pub fn words(py: Python<'_>) -> PyResult<&Words> {
    WORDS.get_or_try_init(py, || {
        let codec = py.import("edge.wire.codec")?;
        let of = |name| codec.getattr(name).map(Bound::unbind);
        Ok(Words {
            request_message: of("RequestMessage")?,
            response_body: of("ResponseBody")?,
            new_tuple: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
            binding_error: of("BindingError")?,
            encode_error: of("EncodeError")?,
            source: of("Source")?,
            shown: py.import("edge.wire.portable.misfit")?.getattr("shown")?.unbind(),
            loads: py.import("json")?.getattr("loads")?.unbind(),
        })
    })
}

impl Words {
    /// A `RequestMessage`: message, render, captured. Named tuples are made as what they are, without the call of Python that their own
    /// `__new__` is.
    pub fn request_message<'py>(&self, py: Python<'py>, fields: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.new_tuple.bind(py).call1((&self.request_message, fields))
    }

    /// A `ResponseBody`: content type, body.
    pub fn response_body<'py>(&self, py: Python<'py>, fields: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.new_tuple.bind(py).call1((&self.response_body, fields))
    }
}

/// A BindingError, or what Python raised itself.
pub fn binding_error(py: Python<'_>, source: Source, misfit: &Misfit) -> PyErr {
    let made = || {
        let words = words(py)?;
        let name = match source {
            Source::Path => "PATH",
            Source::Query => "QUERY",
            Source::Body => "BODY",
            Source::MediaType => "MEDIA_TYPE",
        };
        let offset = PyDict::new(py);
        offset.set_item("offset", misfit.offset)?;
        let source = words.source.bind(py).getattr(name)?;
        let text = spelled(py, &misfit.text)?;
        words.binding_error.bind(py).call((source, misfit.path.as_str(), text), Some(&offset))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

pub fn refusal(py: Python<'_>, refusal: Refusal) -> PyErr {
    match refusal {
        Refusal::Refused(source, misfit) => binding_error(py, source, &misfit),
        Refusal::Malformed => binding_error(py, Source::Query, &Misfit::new("is malformed")),
        Refusal::Python(error) => error,
    }
}

/// An EncodeError, or what Python raised itself.
pub fn encode_error(py: Python<'_>, fail: Fail) -> PyErr {
    let text = match fail {
        Fail::Python(error) => return error,
        Fail::Malformed(why) => Ok(format!("the answer cannot be decoded: {why}")),
        Fail::NoForm(why) => spelled(py, &why).map(|why| format!("the answer has no JSON form: {why}")),
        Fail::Unprintable(why) => Ok(format!("the answer cannot be printed: {why}")),
    };
    let made = || words(py)?.encode_error.bind(py).call1((text?,));
    made().map_or_else(|error| error, PyErr::from_value)
}

fn spelled(py: Python<'_>, pieces: &[Piece]) -> PyResult<String> {
    let words = words(py)?;
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Text(value) => text.push_str(&words.shown.bind(py).call1((value,))?.extract::<String>()?),
            Piece::Json(json) => {
                let value = words.loads.bind(py).call1((json,))?;
                text.push_str(&words.shown.bind(py).call1((value,))?.extract::<String>()?);
            }
        }
    }
    Ok(text)
}

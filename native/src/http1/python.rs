//! The reader as a Python class: `edge.wire.http1.RequestReader`.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::reader::{Limits, Reader};
use super::words::Words;

/// What is held of a body. Many small pieces are joined at once: each as an object would cost 20 times its size.
enum Held {
    None,
    One(Py<PyBytes>),
    Many(Vec<u8>),
}

/// One request at a time.
#[pyclass(name = "RequestReader", module = "edge_native")]
pub struct RequestReader {
    reader: Reader,
    /// The head, once it is whole.
    parts: Option<Py<PyTuple>>,
    held: Held,
    flaw: Option<Py<PyAny>>,
    #[pyo3(get, set)]
    expects_continue: bool,
    #[pyo3(get, set)]
    keep_alive: bool,
}

/// The head's objects: `edge.wire.http1.Parts`.
fn parts_of<'py>(py: Python<'py>, words: &Words, reader: &Reader, head: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    let (scan, facts) = (&reader.scan, &reader.facts);
    let authority = facts.target.authority;
    let mut fields = Vec::with_capacity(scan.fields.len() + 1);
    for &(name, value) in &scan.fields {
        let name = name.of(head);
        if authority.is_none() || !name.eq_ignore_ascii_case(b"host") {
            fields.push((words.name(py, name), PyBytes::new(py, value.of(head))));
        }
    }
    if let Some(authority) = authority {
        fields.push((words.host.bind(py).clone(), PyBytes::new(py, authority.of(head))));
    }
    let first = PyDict::new(py);
    for (name, value) in fields.iter().rev() {
        first.set_item(name, value)?;
    }
    let (path, query) = if reader.flaw.is_none() {
        let (path, query) = (facts.target.path.of(head), facts.target.query.of(head));
        let path = if path.is_empty() { words.slash.clone_ref(py) } else { text(py, words, path) };
        (path, text(py, words, query))
    } else {
        let target = scan.target.of(head);
        let size = target.iter().position(|&octet| octet == b'?').unwrap_or(target.len());
        (text(py, words, &target[..size]), text(py, words, target.get(size + 1..).unwrap_or_default()))
    };
    let has_body = facts.chunked || facts.content_length.unwrap_or(0) > 0;
    (
        &words.methods[scan.method],
        path,
        query,
        words.version(py, scan.version),
        PyList::new(py, fields)?,
        has_body,
        facts.content_length,
        first,
    )
        .into_pyobject(py)
}

/// A target's part is visible ASCII.
fn text(py: Python<'_>, words: &Words, part: &[u8]) -> Py<PyString> {
    match std::str::from_utf8(part) {
        Ok("") | Err(_) => words.empty.clone_ref(py),
        Ok(part) => PyString::new(py, part).unbind(),
    }
}

impl Held {
    fn add(self, py: Python<'_>, piece: &[u8]) -> Self {
        match self {
            Self::None if piece.is_empty() => Self::None,
            Self::None => Self::One(PyBytes::new(py, piece).unbind()),
            Self::One(first) => Self::Many([first.as_bytes(py), piece].concat()),
            Self::Many(mut pieces) => {
                pieces.extend_from_slice(piece);
                Self::Many(pieces)
            }
        }
    }

    fn len(&self, py: Python<'_>) -> usize {
        match self {
            Self::None => 0,
            Self::One(piece) => piece.as_bytes(py).len(),
            Self::Many(pieces) => pieces.len(),
        }
    }
}

fn limits(limits: &Bound<'_, PyAny>) -> PyResult<Limits> {
    let py = limits.py();
    Ok(Limits {
        uri: limits.getattr(intern!(py, "max_uri_bytes"))?.extract()?,
        header_bytes: limits.getattr(intern!(py, "max_header_bytes"))?.extract()?,
        header_count: limits.getattr(intern!(py, "max_header_count"))?.extract()?,
        head_wire: limits.getattr(intern!(py, "max_head_wire_bytes"))?.extract()?,
    })
}

#[pymethods]
impl RequestReader {
    #[new]
    fn new(limits: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            reader: Reader::new(self::limits(limits)?),
            parts: None,
            held: Held::None,
            flaw: None,
            expects_continue: false,
            keep_alive: false,
        })
    }

    fn reset(&mut self) {
        self.reader.reset();
        self.parts = None;
        self.held = Held::None;
        self.flaw = None;
        (self.expects_continue, self.keep_alive) = (false, false);
    }

    /// The head of a request that `data` ends with; else what `feed` says.
    fn read<'py>(&mut self, data: &Bound<'py, PyBytes>, offset: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let used = self.feed(data, offset)?;
        let rest = &data.as_bytes()[used..];
        if self.reader.take_whole(rest) {
            if !rest.is_empty() {
                self.held = Held::One(PyBytes::new(py, rest).unbind());
            }
            return Ok(self.parts(py)?.into_any());
        }
        Ok(used.into_pyobject(py)?.into_any())
    }

    fn feed(&mut self, data: &Bound<'_, PyBytes>, offset: usize) -> PyResult<usize> {
        let py = data.py();
        let words = Words::get(py)?;
        let octets = data.as_bytes().get(offset..).ok_or_else(|| PyValueError::new_err("an offset past the data"))?;
        let in_head = !self.reader.head_complete;
        let mut parts = None;
        let mut held = std::mem::replace(&mut self.held, Held::None);
        let mut arrived = false;
        let used = self.reader.feed(
            octets,
            &mut |reader, head| parts = Some(parts_of(py, words, reader, head)),
            &mut |piece| {
                arrived = true;
                held = std::mem::replace(&mut held, Held::None).add(py, piece);
            },
        );
        self.held = held;
        if let Some(parts) = parts {
            self.parts = Some(parts?.unbind());
            if in_head {
                self.expects_continue = self.reader.facts.expects;
                self.keep_alive = self.reader.facts.keep_alive;
            }
        }
        if arrived {
            self.expects_continue = false; // it did not wait
        }
        if let Some(flaw) = self.reader.flaw {
            self.flaw = Some(words.flaw(py, flaw)?.unbind());
        }
        Ok(offset + used)
    }

    fn take_body<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(match std::mem::replace(&mut self.held, Held::None) {
            Held::None => Words::get(py)?.no_bytes.bind(py).clone(),
            Held::One(piece) => piece.into_bound(py),
            Held::Many(pieces) => PyBytes::new(py, &pieces),
        })
    }

    /// No more requests.
    fn close(&mut self) {}

    /// `(method, path, query, version, headers, has_body, content_length, first)`; of no head, empty ones.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(parts) = &self.parts {
            return Ok(parts.bind(py).clone());
        }
        let nothing = || Words::get(py).map(|words| words.empty.bind(py));
        let (headers, first) = (PyList::empty(py), PyDict::new(py));
        (nothing()?, nothing()?, nothing()?, nothing()?, headers, false, None::<u64>, first).into_pyobject(py)
    }

    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.parts(py)?.get_item(0)
    }

    #[getter]
    fn version<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.parts(py)?.get_item(3)
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.parts(py)?.get_item(4)
    }

    #[getter]
    fn begun(&self) -> bool {
        self.reader.begun()
    }

    #[getter]
    fn head_complete(&self) -> bool {
        self.reader.head_complete
    }

    #[getter]
    fn complete(&self) -> bool {
        self.reader.complete
    }

    #[getter]
    fn flaw(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.flaw.as_ref().map(|flaw| flaw.clone_ref(py))
    }

    #[getter]
    fn held_bytes(&self, py: Python<'_>) -> usize {
        self.held.len(py)
    }

    /// The declared length of the body, None when it is chunked or absent.
    #[getter]
    fn content_length(&self) -> Option<u64> {
        self.reader.facts.content_length
    }

    #[getter]
    fn max_body_bytes(&self) -> Option<u64> {
        self.reader.max_body
    }

    #[setter]
    fn set_max_body_bytes(&mut self, most: Option<u64>) {
        self.reader.max_body = most;
    }
}

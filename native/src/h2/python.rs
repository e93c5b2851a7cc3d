//! The session as a Python class: `edge.wire.session.H2Session`, and what is offered beyond it.

use pyo3::buffer::{PyBuffer, ReadOnlyCell};
use pyo3::exceptions::{PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::caller::Caller;
use super::grpc_frame::Framed;
use super::sent_fields::{Sending, SentFields};
use super::session::{Body, Misuse, Session};
use super::settings::Ours;
use super::vocabulary::Vocabulary;

/// One HTTP/2 connection, either role.
#[pyclass(name = "H2Session", module = "edge_native", subclass)]
pub struct H2Session {
    session: Session<Py<PyTuple>, Py<PyList>>,
    budget: Option<Py<PyAny>>,
    sent: SentFields,
}

impl Body for &[ReadOnlyCell<u8>] {
    fn size(&self) -> usize {
        self.len()
    }

    fn append(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
        out.extend(self.get(range).unwrap_or_default().iter().map(ReadOnlyCell::get));
    }
}

/// What a caller has to send; found to be octets in a row before anything is done with it.
enum Octets<'py> {
    Bytes(Bound<'py, PyBytes>),
    Buffer(PyBuffer<u8>),
}

impl<'py> Octets<'py> {
    fn of(data: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        let buffer = PyBuffer::get(data)?;
        if buffer.is_c_contiguous() {
            Ok(Self::Buffer(buffer))
        } else {
            Err(PyTypeError::new_err("data must be contiguous"))
        }
    }
}

impl From<Misuse> for PyErr {
    fn from(Misuse(reason): Misuse) -> Self {
        PyRuntimeError::new_err(reason)
    }
}

fn ours(settings: &Bound<'_, PyAny>) -> PyResult<Ours> {
    let py = settings.py();
    let ours = Ours {
        max_concurrent_streams: settings.getattr(intern!(py, "max_concurrent_streams"))?.extract()?,
        stream_window: settings.getattr(intern!(py, "stream_window_bytes"))?.extract()?,
        connection_window: settings.getattr(intern!(py, "connection_window_bytes"))?.extract()?,
        max_frame: settings.getattr(intern!(py, "max_frame_bytes"))?.extract()?,
        max_header_list: settings.getattr(intern!(py, "max_header_list_bytes"))?.extract()?,
        connect_protocol: settings.getattr(intern!(py, "connect_protocol"))?.extract()?,
    };
    if ours.is_valid() { Ok(ours) } else { Err(PyValueError::new_err("SETTINGS may not say so")) }
}

#[pymethods]
impl H2Session {
    #[new]
    #[pyo3(signature = (role, settings=None, budget=None))]
    fn new(role: &Bound<'_, PyAny>, settings: Option<Bound<'_, PyAny>>, budget: Option<Py<PyAny>>) -> PyResult<Self> {
        let words = Vocabulary::get(role.py())?;
        let settings = settings.unwrap_or_else(|| words.default_settings.bind(role.py()).clone());
        Ok(Self {
            session: Session::new(role.is(&words.client), ours(&settings)?),
            budget,
            sent: SentFields::default(),
        })
    }

    fn receive<'py>(&mut self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        receive(&mut self.session, Caller::new(py, Vocabulary::get(py)?, self.budget.as_ref()), data)
    }

    /// `receive`, but three events that are a whole answer are told as one, and acknowledged.
    fn receive_answers<'py>(&mut self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let caller = Caller::new(py, Vocabulary::get(py)?, self.budget.as_ref()).gathering();
        receive(&mut self.session, caller, data)
    }

    #[pyo3(signature = (headers, *, end))]
    fn open<'py>(&mut self, headers: &Bound<'py, PyAny>, end: bool) -> PyResult<u32> {
        let py = headers.py();
        let words = Vocabulary::get(py)?;
        let mut caller = Caller::new(py, words, self.budget.as_ref());
        let opened = self.session.open(&mut Sending::new(headers, &mut self.sent)?, end, &mut caller);
        caller.finish()?;
        opened.ok_or_else(|| raised(words.exhausted.bind(py).call0()))
    }

    /// Opens a gRPC call, with its one message where there is one: the stream, and how many octets of the framed message are left.
    /// What is refused is refused before anything has changed.
    fn open_call<'py>(
        &mut self,
        headers: &Bound<'py, PyAny>,
        message: Option<&Bound<'py, PyBytes>>,
    ) -> PyResult<(u32, usize)> {
        let py = headers.py();
        let words = Vocabulary::get(py)?;
        let mut sending = Sending::new(headers, &mut self.sent)?;
        if !sending.is_sound() {
            return Err(raised(words.malformed.bind(py).call1((headers,))));
        }
        if self.session.is_too_large(|| sending.list_bytes()) {
            return Err(raised(words.too_large.bind(py).call0()));
        }
        let mut caller = Caller::new(py, words, self.budget.as_ref());
        let opened = if let Some(message) = message {
            let framed =
                Framed::of(message.as_bytes()).ok_or_else(|| PyOverflowError::new_err("a gRPC message of 4 GiB"))?;
            self.session.ask(&mut sending, &framed, &mut caller).transpose()?
        } else {
            self.session.open(&mut sending, false, &mut caller).map(|stream| (stream, 0))
        };
        caller.finish()?;
        opened.ok_or_else(|| raised(words.exhausted.bind(py).call0()))
    }

    fn can_open(&self) -> bool {
        self.session.can_open()
    }

    #[pyo3(signature = (stream, headers, *, end))]
    fn send_headers<'py>(&mut self, stream: u32, headers: &Bound<'py, PyAny>, end: bool) -> PyResult<()> {
        let py = headers.py();
        let mut caller = Caller::new(py, Vocabulary::get(py)?, self.budget.as_ref());
        self.session.send_headers(stream, &mut Sending::new(headers, &mut self.sent)?, end, &mut caller)?;
        caller.finish()
    }

    #[pyo3(signature = (stream, data, *, end))]
    fn send_data(&mut self, stream: u32, data: &Bound<'_, PyAny>, end: bool) -> PyResult<usize> {
        self.send_octets(data.py(), stream, &Octets::of(data)?, end)
    }

    /// `send_headers` and `send_data` in one call: the bytes taken. `end` counts only when all of `data` was.
    #[pyo3(signature = (stream, headers, data, *, end))]
    fn send_with<'py>(
        &mut self,
        stream: u32,
        headers: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
        end: bool,
    ) -> PyResult<usize> {
        let octets = Octets::of(data)?;
        self.send_headers(stream, headers, false)?;
        self.send_octets(data.py(), stream, &octets, end)
    }

    fn acknowledge(&mut self, stream: u32, size: i64) {
        self.session.acknowledge(stream, size);
    }

    fn reset(&mut self, stream: u32, code: u32) {
        self.session.reset(stream, code);
    }

    fn ping(&mut self, payload: &[u8]) -> PyResult<()> {
        let payload = payload.try_into().map_err(|_| PyValueError::new_err("a PING has eight bytes"))?;
        self.session.ping(payload);
        Ok(())
    }

    #[pyo3(signature = (code=0, *, last_stream=None))]
    fn go_away(&mut self, code: u32, last_stream: Option<u32>) {
        self.session.go_away(code, last_stream);
    }

    fn take<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.session.take(|out| PyBytes::new(py, out))
    }

    /// Streams open, and reset ones remembered.
    fn held(&self) -> (usize, usize) {
        self.session.held()
    }
}

impl H2Session {
    fn send_octets(&mut self, py: Python<'_>, stream: u32, data: &Octets<'_>, end: bool) -> PyResult<usize> {
        let mut caller = Caller::new(py, Vocabulary::get(py)?, self.budget.as_ref());
        let taken = match data {
            Octets::Bytes(data) => self.session.send_data(stream, &data.as_bytes(), end, &mut caller)?,
            Octets::Buffer(buffer) => {
                self.session.send_data(stream, &buffer.as_slice(py).unwrap_or_default(), end, &mut caller)?
            }
        };
        caller.finish()?;
        Ok(taken)
    }
}

fn receive<'py>(
    session: &mut Session<Py<PyTuple>, Py<PyList>>,
    mut caller: Caller<'py, '_>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = data.py();
    if let Ok(data) = data.cast::<PyBytes>() {
        session.receive(data.as_bytes(), &mut caller);
    } else {
        session.receive(&PyBuffer::<u8>::get(data)?.to_vec(py)?, &mut caller);
    }
    session.acknowledge_all(caller.consumed() as i64);
    PyList::new(py, caller.events()?)
}

/// An exception that Python has made.
fn raised(made: PyResult<Bound<'_, PyAny>>) -> PyErr {
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

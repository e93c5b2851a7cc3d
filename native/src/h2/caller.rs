//! The host of one call from Python: header text becomes tuples of bytes, events become named tuples of `edge.wire.session`.
//!
//! Owns what a call costs: a field is made into a tuple once and shared by the tables and the memory of blocks, an event is one
//! named tuple, and the budget is asked only when there is something to charge or to forgive.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList, PyTuple, PyType};

use super::grpc_frame;
use super::host::{Budget, Event, Fields, Host};
use super::vocabulary::Vocabulary;

/// The beginning of an answer whose end may come in the same read; of its body the one message.
struct Begun<'py> {
    stream: u32,
    headers: Py<PyList>,
    body: Option<(Bound<'py, PyBytes>, usize)>,
}

/// The first exception of Python's is kept, and raised when the call is over.
pub struct Caller<'py, 'a> {
    py: Python<'py>,
    words: &'a Vocabulary,
    budget: Option<&'a Py<PyAny>>,
    events: Vec<Bound<'py, PyAny>>,
    gathers: bool,
    begun: Option<Begun<'py>>,
    consumed: usize,
    stream: Option<(u32, Bound<'py, PyInt>)>,
    error: Option<PyErr>,
}

impl<'py, 'a> Caller<'py, 'a> {
    pub fn new(py: Python<'py>, words: &'a Vocabulary, budget: Option<&'a Py<PyAny>>) -> Self {
        Self {
            py,
            words,
            budget,
            events: Vec::new(),
            gathers: false,
            begun: None,
            consumed: 0,
            stream: None,
            error: None,
        }
    }

    /// Tells a head, one message and trailers that follow each other as one event, where the request was one message as well.
    pub fn gathering(mut self) -> Self {
        self.gathers = true;
        self
    }

    /// What has been told, unless Python raised meanwhile.
    pub fn events(&mut self) -> PyResult<Vec<Bound<'py, PyAny>>> {
        if let Some(begun) = self.begun.take() {
            self.tell_begun(begun);
        }
        self.finish()?;
        Ok(std::mem::take(&mut self.events))
    }

    /// The flow-controlled octets of whole answers: nobody acknowledges them but who tells them.
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// What is no whole answer after all is told as it came.
    fn tell_begun(&mut self, begun: Begun<'py>) {
        let (words, stream) = (self.words, self.number(begun.stream).into_any());
        let headers = begun.headers.into_bound(self.py).into_any();
        self.tell(&words.headers, [stream.clone(), headers, self.flag(false), self.flag(false)]);
        if let Some((message, flow_bytes)) = begun.body {
            let data = self.text(&grpc_frame::joined(message.as_bytes()));
            self.tell(&words.data, [stream, data, self.integer(flow_bytes as u64), self.flag(false)]);
        }
    }

    /// Keeps an event back while it may be part of a whole answer; what is to be told now otherwise.
    fn gathered<'e>(&mut self, event: Event<'e, Py<PyList>>) -> Option<Event<'e, Py<PyList>>> {
        match (event, self.begun.take()) {
            (Event::Data { stream, data, flow_bytes, end: false }, Some(Begun { stream: of, headers, body: None }))
                if stream == of && grpc_frame::message(data).is_some() =>
            {
                let body = grpc_frame::message(data).map(|message| (PyBytes::new(self.py, message), flow_bytes));
                self.begun = Some(Begun { stream, headers, body });
                None
            }
            (Event::Trailers { stream, headers: trailers }, Some(Begun { stream: of, headers, body: Some(body) }))
                if stream == of =>
            {
                let (words, (message, flow_bytes)) = (self.words, body);
                self.consumed += flow_bytes;
                let fields = [
                    self.number(stream).into_any(),
                    headers.into_bound(self.py).into_any(),
                    message.into_any(),
                    trailers.into_bound(self.py).into_any(),
                ];
                self.tell(&words.answer, fields);
                None
            }
            (event, begun) => {
                if let Some(begun) = begun {
                    self.tell_begun(begun);
                }
                match event {
                    Event::Headers { stream, headers, end: false, unary: true, .. } => {
                        self.begun = Some(Begun { stream, headers, body: None });
                        None
                    }
                    event => Some(event),
                }
            }
        }
    }

    /// The result of the call, unless Python raised meanwhile.
    pub fn finish(&mut self) -> PyResult<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Streams are mostly mentioned more than once in a read.
    fn number(&mut self, stream: u32) -> Bound<'py, PyInt> {
        match &self.stream {
            Some((known, number)) if *known == stream => number.clone(),
            _ => {
                let number = int(self.py, u64::from(stream));
                self.stream = Some((stream, number.clone()));
                number
            }
        }
    }

    fn keep<T>(&mut self, result: PyResult<T>) -> Option<T> {
        result.map_err(|error| self.error.get_or_insert(error)).ok()
    }

    fn tell<const N: usize>(&mut self, class: &'a Py<PyType>, fields: [Bound<'py, PyAny>; N]) {
        let made =
            PyTuple::new(self.py, fields).and_then(|fields| self.words.new_tuple.bind(self.py).call1((class, fields)));
        if let Some(event) = self.keep(made) {
            self.events.push(event);
        }
    }

    fn text(&self, octets: &[u8]) -> Bound<'py, PyAny> {
        PyBytes::new(self.py, octets).into_any()
    }

    fn flag(&self, value: bool) -> Bound<'py, PyAny> {
        PyBool::new(self.py, value).to_owned().into_any()
    }

    fn integer(&self, value: u64) -> Bound<'py, PyAny> {
        int(self.py, value).into_any()
    }
}

fn int(py: Python<'_>, value: u64) -> Bound<'_, PyInt> {
    match value.into_pyobject(py) {
        Ok(number) => number,
    }
}

fn pair<'py>(name: Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> Py<PyTuple> {
    // Fails only for want of memory, as making the bytes does, which panics, which Python sees as an exception.
    PyTuple::new(name.py(), [&name, &value]).expect("memory for a tuple of two").unbind()
}

impl Fields for Caller<'_, '_> {
    type Field = Py<PyTuple>;
    type List = Py<PyList>;

    fn field(&mut self, name: &[u8], value: &[u8]) -> Py<PyTuple> {
        pair(self.text(name), self.text(value))
    }

    fn named_like(&mut self, other: &Py<PyTuple>, value: &[u8]) -> Py<PyTuple> {
        let name = other.bind(self.py).get_item(0).expect("a field is a pair");
        pair(name, self.text(value))
    }

    fn static_field(&mut self, index: usize) -> Py<PyTuple> {
        self.words.static_fields[index].clone_ref(self.py)
    }

    fn share(&mut self, field: &Py<PyTuple>) -> Py<PyTuple> {
        field.clone_ref(self.py)
    }

    fn list(&mut self, fields: &mut Vec<Py<PyTuple>>) -> Py<PyList> {
        PyList::new(self.py, fields.drain(..)).expect("memory for a list").unbind()
    }

    fn share_list(&mut self, list: &Py<PyList>) -> Py<PyList> {
        list.clone_ref(self.py)
    }
}

impl Budget for Caller<'_, '_> {
    fn charge(&mut self, points: u32) -> bool {
        let Some(budget) = self.budget else { return false };
        let budget = budget.bind(self.py);
        let exhausted = budget
            .call_method1(intern!(self.py, "charge"), (points,))
            .and_then(|_| budget.getattr(intern!(self.py, "exhausted"))?.is_truthy());
        self.keep(exhausted).unwrap_or(true) // the connection of a budget that does not count must not go on
    }

    fn earn(&mut self, points: u32) {
        let Some(budget) = self.budget else { return };
        let budget = budget.bind(self.py);
        let earned = budget.getattr(intern!(self.py, "level")).and_then(|level| {
            // Nothing is saved up: of an honest peer, of whom this is nearly always true, one look is all that is done.
            if level.extract::<f64>()? > 0.0 {
                budget.call_method1(intern!(self.py, "earn"), (points,))?;
            }
            Ok(())
        });
        self.keep(earned);
    }
}

impl Host for Caller<'_, '_> {
    fn event(&mut self, event: Event<'_, Py<PyList>>) {
        let (py, words) = (self.py, self.words);
        let Some(event) = (if self.gathers { self.gathered(event) } else { Some(event) }) else { return };
        match event {
            Event::Headers { stream, headers, end, interim, .. } => {
                let stream = self.number(stream).into_any();
                let fields = [stream, headers.into_bound(py).into_any(), self.flag(end), self.flag(interim)];
                self.tell(&words.headers, fields);
            }
            Event::Data { stream, data, flow_bytes, end } => {
                let stream = self.number(stream).into_any();
                let fields = [stream, self.text(data), self.integer(flow_bytes as u64), self.flag(end)];
                self.tell(&words.data, fields);
            }
            Event::Trailers { stream, headers } => {
                let stream = self.number(stream).into_any();
                self.tell(&words.trailers, [stream, headers.into_bound(py).into_any()]);
            }
            Event::Reset { stream, code, by_peer } => {
                let stream = self.number(stream).into_any();
                self.tell(&words.reset, [stream, self.integer(u64::from(code)), self.flag(by_peer)]);
            }
            Event::WindowOpened { stream } => {
                let stream = self.number(stream).into_any();
                self.tell(&words.window, [stream]);
            }
            Event::Settings { max_concurrent_streams, max_header_list_bytes } => {
                self.tell(&words.settings, [self.integer(max_concurrent_streams), self.integer(max_header_list_bytes)]);
            }
            Event::GoAway { last_stream, code, debug } => {
                let fields = [self.integer(u64::from(last_stream)), self.integer(u64::from(code)), self.text(debug)];
                self.tell(&words.go_away, fields);
            }
            Event::PingAcknowledged { payload } => self.tell(&words.ping, [self.text(payload)]),
            Event::Failed { code, reason } => {
                let reason = pyo3::types::PyString::new(py, reason).into_any();
                self.tell(&words.failed, [self.integer(u64::from(code)), reason]);
            }
        }
    }
}

//! What is looked up in Python once for the process: the event classes, and the fields of the static table.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple, PyType};

use super::static_table;

pub struct Vocabulary {
    pub headers: Py<PyType>,
    pub data: Py<PyType>,
    pub trailers: Py<PyType>,
    pub answer: Py<PyType>,
    pub reset: Py<PyType>,
    pub window: Py<PyType>,
    pub settings: Py<PyType>,
    pub go_away: Py<PyType>,
    pub ping: Py<PyType>,
    pub failed: Py<PyType>,
    pub exhausted: Py<PyAny>,
    pub malformed: Py<PyAny>,
    pub too_large: Py<PyAny>,
    pub client: Py<PyAny>,
    pub default_settings: Py<PyAny>,
    /// `tuple.__new__`: a named tuple's own is a Python function around it.
    pub new_tuple: Py<PyAny>,
    pub static_fields: Vec<Py<PyTuple>>,
}

static VOCABULARY: PyOnceLock<Vocabulary> = PyOnceLock::new();

impl Vocabulary {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        VOCABULARY.get_or_try_init(py, || {
            let module = py.import("edge.wire.session")?;
            let class =
                |name: &str| -> PyResult<Py<PyType>> { Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind()) };
            let pairs = static_table::ENTRIES.iter().map(|(name, value)| {
                let pair = PyTuple::new(py, [PyBytes::new(py, name), PyBytes::new(py, value)]);
                pair.map(Bound::unbind)
            });
            Ok(Self {
                headers: class("HeadersReceived")?,
                data: class("DataReceived")?,
                trailers: class("TrailersReceived")?,
                answer: class("AnswerReceived")?,
                reset: class("StreamReset")?,
                window: class("WindowOpened")?,
                settings: class("SettingsReceived")?,
                go_away: class("GoAwayReceived")?,
                ping: class("PingAcknowledged")?,
                failed: class("ConnectionFailed")?,
                exhausted: module.getattr("StreamsExhausted")?.unbind(),
                malformed: module.getattr("malformed_headers")?.unbind(),
                too_large: module.getattr("HeadersTooLarge")?.unbind(),
                client: module.getattr("Role")?.getattr("CLIENT")?.unbind(),
                default_settings: module.getattr("SessionSettings")?.call0()?.unbind(),
                new_tuple: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
                static_fields: pairs.collect::<PyResult<_>>()?,
            })
        })
    }
}

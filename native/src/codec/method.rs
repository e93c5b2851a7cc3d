//! One RPC under one HTTP binding, as Python sees it: what is compiled of a binding, and its two calls.
//!
//! Owns that each direction is one call from Python. How a request is bound is `bind`'s, how an answer is printed `answer`'s.

use std::collections::HashSet;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use super::api::Api;
use super::path::{Variable, watch};
use super::python::{refusal, words};
use super::reader::{ReadOptions, Watch};
use super::schema::TypeId;
use super::tables::{PyLoader, Tables};
use super::{answer, explain};

/// How the body is taken.
pub(super) enum BodyKind {
    None,
    Json,
    Raw,
}

#[derive(PartialEq)]
pub(super) enum Unknown {
    Reject,
    Ignore,
    Capture,
}

#[pyclass(frozen, module = "edge_native")]
pub struct MethodCodec {
    pub(super) tables: Py<Tables>,
    pub(super) input: TypeId,
    pub(super) variables: Vec<Variable>,
    pub(super) watch: Option<Watch>,
    pub(super) body_kind: BodyKind,
    /// The field that the body fills, None for the whole message.
    pub(super) body_field: Option<usize>,
    pub(super) form: bool,
    /// Whether the query fills fields.
    pub(super) query_fields: bool,
    pub(super) options: ReadOptions,
    pub(super) plus_is_space: bool,
    pub(super) unknown: Unknown,
    pub(super) ignored: HashSet<String>,
    pub(super) system: HashSet<String>,
    pub(super) mask: Option<usize>,
    pub(super) plain: Py<PyAny>,
    pub(super) no_capture: Py<PyTuple>,
    /// (render, name, text) -> render.
    pub(super) apply: Py<PyAny>,
    /// Raises the BindingError of a malformed query, or form.
    pub(super) malformed_query: Py<PyAny>,
    pub(super) malformed_form: Py<PyAny>,
    pub(super) answer: answer::Answer,
    #[pyo3(get)]
    pub(super) takes_raw: bool,
    #[pyo3(get)]
    pub(super) gives_raw: bool,
}

/// A binding as Python tells it; it has been checked by the portable engine.
#[derive(FromPyObject)]
struct Binding {
    input: String,
    path_fields: Vec<String>,
    body: String,
    raw_body: bool,
    form: bool,
    query_fields: bool,
    max_depth: u32,
    ignore_unknown: bool,
    lenient_bools: bool,
    plus_is_space: bool,
    unknown_query: String,
    ignored_query: Vec<String>,
    system: Vec<String>,
    mask: String,
    plain: Py<PyAny>,
    apply: Py<PyAny>,
    malformed_query: Py<PyAny>,
    malformed_form: Py<PyAny>,
}

#[pymethods]
impl MethodCodec {
    #[new]
    fn new(py: Python<'_>, tables: Py<Tables>, binding: Binding, answer: answer::Told) -> PyResult<Self> {
        let schema = tables.get().schema.clone();
        let unfit = |what: &str| PyValueError::new_err(format!("{what} does not fit"));
        let input = schema.find(&binding.input).ok_or_else(|| unfit(&binding.input))?;
        let root = schema.get(input);
        let fields = binding.path_fields.iter().map(|name| Variable::new(&schema, root, name));
        let variables = fields.collect::<Option<Vec<_>>>().ok_or_else(|| unfit("a path field"))?;
        let body_field = match binding.body.as_str() {
            "" | "*" => None,
            name => Some(root.named(name).ok_or_else(|| unfit(name))?),
        };
        let mask = match binding.mask.as_str() {
            "" => None,
            name => Some(root.named(name).ok_or_else(|| unfit(name))?),
        };
        let answer = answer::Answer::new(py, &schema, answer, &binding.plain)?;
        Ok(Self {
            input,
            watch: if binding.body.is_empty() { None } else { watch(&variables, body_field) },
            variables,
            body_kind: match (binding.body.as_str(), binding.raw_body) {
                ("", _) => BodyKind::None,
                (_, true) => BodyKind::Raw,
                _ => BodyKind::Json,
            },
            body_field,
            form: binding.form,
            query_fields: binding.query_fields,
            options: ReadOptions {
                max_depth: binding.max_depth.min(explain::MAX_LEVELS),
                ignore_unknown: binding.ignore_unknown,
                lenient_bools: binding.lenient_bools,
            },
            plus_is_space: binding.plus_is_space,
            unknown: match binding.unknown_query.as_str() {
                "ignore" => Unknown::Ignore,
                "capture" => Unknown::Capture,
                _ => Unknown::Reject,
            },
            ignored: binding.ignored_query.into_iter().collect(),
            system: binding.system.into_iter().collect(),
            mask,
            plain: binding.plain,
            no_capture: PyTuple::empty(py).unbind(),
            apply: binding.apply,
            malformed_query: binding.malformed_query,
            malformed_form: binding.malformed_form,
            takes_raw: binding.raw_body,
            gives_raw: answer.is_raw(),
            answer,
            tables,
        })
    }

    /// Bind one request. Raises BindingError.
    fn request<'py>(
        &self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
        query: &str,
        body: &[u8],
        content_type: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let captures = path.try_iter()?.map(|capture| Ok(capture?.downcast_into::<PyString>()?));
        let captures = captures.collect::<PyResult<Vec<_>>>()?;
        let captures = captures.iter().map(|capture| capture.to_str()).collect::<PyResult<Vec<_>>>()?;
        if captures.len() != self.variables.len() {
            return Err(PyValueError::new_err("as many captures as variables are needed"));
        }
        let loader = PyLoader::new(py, &self.tables);
        let api = Api { schema: &self.tables.get().schema, options: self.options, loader: &loader };
        let bound = self.bind(py, api, &captures, query, body, content_type);
        let (message, render, captured) = bound.map_err(|refused| refusal(py, *refused))?;
        let message = PyBytes::new(py, &message);
        let captured = match captured {
            None => self.no_capture.bind(py).clone(),
            Some(pairs) => PyTuple::new(py, pairs)?,
        };
        words(py)?.request_message(py, (message, render, captured).into_pyobject(py)?)
    }

    /// Print one response. Raises EncodeError.
    fn response<'py>(
        &self,
        py: Python<'py>,
        message: &[u8],
        render: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let loader = PyLoader::new(py, &self.tables);
        let schema = &self.tables.get().schema;
        let (content_type, body) = self.answer.print(py, schema, &loader, message, render, &self.plain)?;
        words(py)?.response_body(py, (content_type, PyBytes::new(py, &body)).into_pyobject(py)?)
    }
}

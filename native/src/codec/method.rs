//! One RPC under one HTTP binding: request parts to a message, a message to an answer.
//!
//! Owns the order of binding - body, path, form, query, update mask - which is what makes the path win, and that each direction is one
//! call from Python.

use std::collections::HashSet;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use super::api::Api;
use super::misfit::{Fail, Misfit};
use super::outline::Outlines;
use super::overlay::{Node, What, merge};
use super::parameters::Parameters;
use super::path::{Body, Variable, bind, watch};
use super::python::{refusal, words};
use super::query;
use super::reader::{ReadOptions, Reader, Watch};
use super::refusal::{Bound as Fallible, Refusal, Source, blame, refuse};
use super::required::missing;
use super::schema::{MessageType, Schema, TypeId};
use super::tables::{PyLoader, Tables};
use super::wire::{LEN, close, open, put_tag};
use super::{answer, explain, mask, media_type};

/// How the body is taken.
enum BodyKind {
    None,
    Json,
    Raw,
}

#[derive(PartialEq)]
enum Unknown {
    Reject,
    Ignore,
    Capture,
}

#[pyclass(frozen, module = "edge_native")]
pub struct MethodCodec {
    tables: Py<Tables>,
    input: TypeId,
    variables: Vec<Variable>,
    watch: Option<Watch>,
    body_kind: BodyKind,
    /// The field that the body fills, None for the whole message.
    body_field: Option<usize>,
    form: bool,
    /// Whether the query fills fields.
    query_fields: bool,
    options: ReadOptions,
    plus_is_space: bool,
    unknown: Unknown,
    ignored: HashSet<String>,
    system: HashSet<String>,
    mask: Option<usize>,
    plain: Py<PyAny>,
    no_capture: Py<PyTuple>,
    /// (render, name, text) -> render.
    apply: Py<PyAny>,
    /// Raises the BindingError of a malformed query, or form.
    malformed_query: Py<PyAny>,
    malformed_form: Py<PyAny>,
    answer: answer::Answer,
    #[pyo3(get)]
    takes_raw: bool,
    #[pyo3(get)]
    gives_raw: bool,
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
        words(py)?.request_message.bind(py).call1((message, render, captured))
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
        words(py)?.response_body.bind(py).call1((content_type, PyBytes::new(py, &body)))
    }
}

/// The parameters that no field took.
type Captured = Option<Vec<(String, String)>>;
/// Message, render, captured parameters.
type Made = (Vec<u8>, Py<PyAny>, Captured);

impl MethodCodec {
    fn bind(
        &self,
        py: Python<'_>,
        api: Api<'_>,
        captures: &[&str],
        query: &str,
        body: &[u8],
        content_type: &str,
    ) -> Fallible<Made> {
        let root = api.schema.get(self.input);
        let is_form = self.form && !body.is_empty() && media_type::is_form(content_type);
        let given = match self.body_kind {
            BodyKind::None => Body::default(),
            BodyKind::Raw => self.raw_body(api.schema, root, body, content_type),
            BodyKind::Json if body.is_empty() || is_form => Body::default(),
            BodyKind::Json => self.json_body(api, root, body, content_type)?,
        };
        let mut node = Node::default();
        let values = bind(api, root, &self.variables, captures, &given, &mut node)?;
        let mut parameters = Parameters {
            api,
            root,
            variables: &self.variables,
            captures,
            values: &values,
            source: Source::Body,
            prefix: self.body_field,
            closed: None,
            wire: &given.wire,
            outlines: Outlines::default(),
            max_depth: self.options.max_depth as usize,
        };
        if is_form {
            self.bind_form(py, &parameters, &mut node, body)?;
        }
        parameters.source = Source::Query;
        (parameters.prefix, parameters.closed) = (None, self.body_field);
        let (render, captured) = self.bind_query(py, &parameters, &mut node, query)?;
        self.fill_mask(api.schema, root, &given, &mut node)?;
        let message = self.finish(api.schema, root, given.wire, &node)?;
        Ok((message, render, captured))
    }

    fn json_body<'b>(
        &self,
        api: Api<'_>,
        root: &MessageType,
        body: &'b [u8],
        content_type: &str,
    ) -> Fallible<Body<'b>> {
        if !media_type::is_json(content_type) {
            let shown: String = content_type.chars().take(100).collect();
            let text = format!("the body must be application/json, not {shown}");
            return refuse(Source::MediaType, "", vec![text.into()]);
        }
        let read = |text: &'b str| {
            let mut reader = Reader::new(text, api.schema, api.options, api.loader);
            reader.out.reserve(body.len() / 2);
            reader.told.resize(self.variables.len(), None);
            reader.whole(|reader| match self.body_field.map(|index| &root.fields[index]) {
                None => reader.message(root, 1, self.watch.as_ref()),
                Some(field) if reader.cursor.peek() == b'n' && !field.takes_null => reader.cursor.literal(b"null"),
                Some(field) => {
                    let place = reader.cursor.at;
                    reader.body_field(field, self.watch.as_ref())?;
                    for (number, variable) in self.variables.iter().enumerate() {
                        if Some(variable.steps.as_slice()) == self.body_field.as_ref().map(std::slice::from_ref) {
                            reader.told[number] = Some((place, reader.cursor.at));
                        }
                    }
                    Ok(())
                }
            })?;
            Ok(Body { wire: reader.out, told: reader.told, text })
        };
        let text = match std::str::from_utf8(body) {
            Ok(text) if !text.starts_with('\u{feff}') => text,
            _ => {
                let why = explain::explain(body).unwrap_or_else(|| Misfit::new("invalid JSON"));
                return Err(blame(Source::Body, Fail::Misfit(why)));
            }
        };
        read(text).map_err(|fail: Box<Fail>| blame(Source::Body, *fail))
    }

    /// Any bytes of any type, into an HttpBody: the request itself, or a field of it.
    fn raw_body<'b>(&self, schema: &Schema, root: &MessageType, body: &[u8], content_type: &str) -> Body<'b> {
        let mut wire = Vec::with_capacity(body.len() + content_type.len() + 16);
        let field = self.body_field.map(|index| &root.fields[index]);
        let mark = field.map(|field| {
            put_tag(&mut wire, field.number, LEN);
            open(&mut wire)
        });
        let of = field.and_then(|field| field.message).map_or(root, |of| schema.get(of));
        for (name, bytes) in [("content_type", content_type.as_bytes()), ("data", body)] {
            if let Some(field) = of.named(name).map(|index| &of.fields[index]) {
                super::overlay::put_value(&mut wire, field, bytes);
            }
        }
        if let Some(mark) = mark {
            close(&mut wire, mark);
        }
        Body { wire, ..Body::default() }
    }

    fn bind_form(&self, py: Python<'_>, form: &Parameters<'_>, node: &mut Node, body: &[u8]) -> Fallible<()> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.is_ascii());
        let Some(pairs) = text.and_then(|text| query::parse(text, true)) else {
            return Err(said(py, &self.malformed_form, PyBytes::new(py, body).as_any()));
        };
        for (name, text) in pairs {
            if !form.bind(node, &name, &text)? && !self.options.ignore_unknown {
                return refuse(Source::Body, super::misfit::shortened(&name), vec!["no such field".into()]);
            }
        }
        Ok(())
    }

    fn bind_query(
        &self,
        py: Python<'_>,
        parameters: &Parameters<'_>,
        node: &mut Node,
        raw: &str,
    ) -> Fallible<(Py<PyAny>, Captured)> {
        let mut render = self.plain.clone_ref(py);
        if raw.is_empty() {
            return Ok((render, None));
        }
        let Some(pairs) = query::parse(raw, self.plus_is_space) else {
            return Err(said(py, &self.malformed_query, PyString::new(py, raw).as_any()));
        };
        let mut captured = Vec::new();
        for (name, text) in pairs {
            if self.ignored.contains(&*name) || (self.query_fields && parameters.bind(node, &name, &text)?) {
                continue;
            }
            if self.system.contains(&*name) {
                let applied = self.apply.call1(py, (render, &*name, &*text));
                render = applied.map_err(|error| Box::new(Refusal::Python(error)))?;
            } else if self.unknown == Unknown::Reject {
                return refuse(Source::Query, super::misfit::shortened(&name), vec!["no such parameter".into()]);
            } else if self.unknown == Unknown::Capture {
                captured.push((name.into_owned(), text.into_owned()));
            }
        }
        Ok((render, (!captured.is_empty()).then_some(captured)))
    }

    /// Set the mask from the body's fields unless the request brought one. `{}` sets an empty mask, no body none.
    fn fill_mask(&self, schema: &Schema, root: &MessageType, body: &Body<'_>, node: &mut Node) -> Fallible<()> {
        let (Some(field), Some(resource)) = (self.mask, self.body_field.and_then(|index| root.fields[index].message))
        else {
            return Ok(());
        };
        if body.text.is_empty() || node.has(field) {
            return Ok(());
        }
        let paths = mask::of_body(schema, schema.get(resource), body.text);
        if let Some(paths) = paths.map_err(|fail| blame(Source::Body, *fail))? {
            node.add(field, What::Value(paths));
        }
        Ok(())
    }

    fn finish(&self, schema: &Schema, root: &MessageType, wire: Vec<u8>, node: &Node) -> Fallible<Vec<u8>> {
        let ours = |fail: Box<Fail>| blame(Source::Body, *fail);
        let message = if node.is_empty() {
            wire
        } else {
            let mut out = Vec::with_capacity(wire.len() + 64);
            merge(&mut out, schema, root, &wire, node).map_err(|error| ours(error.into()))?;
            out
        };
        match missing(schema, root, &message).map_err(ours)? {
            Some(path) => refuse(Source::Body, path, vec!["is required".into()]),
            None => Ok(message),
        }
    }
}

/// The exception that a Python function raises about a text it cannot read.
#[cold]
fn said(py: Python<'_>, reader: &Py<PyAny>, text: &Bound<'_, PyAny>) -> Box<Refusal> {
    Box::new(match reader.call1(py, (text,)) {
        Err(error) => Refusal::Python(error),
        Ok(_) => Refusal::Malformed,
    })
}

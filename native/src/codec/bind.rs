//! A request's parts into one message.
//!
//! Owns the order of binding - body, path, form, query, update mask - which is what makes the path win.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::api::Api;
use super::method::{BodyKind, MethodCodec, Unknown};
use super::misfit::{Fail, Misfit};
use super::outline::Outlines;
use super::overlay::{Node, What, merge};
use super::parameters::Parameters;
use super::path::{Body, bind};
use super::reader::Reader;
use super::refusal::{Bound as Fallible, Refusal, Source, blame, refuse};
use super::required::missing;
use super::schema::{MessageType, Schema};
use super::wire::{LEN, close, open, put_tag};
use super::{explain, mask, media_type, query};
/// The parameters that no field took.
type Captured = Option<Vec<(String, String)>>;
/// Message, render, captured parameters.
type Made = (Vec<u8>, Py<PyAny>, Captured);

impl MethodCodec {
    pub(super) fn bind(
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

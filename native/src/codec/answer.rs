//! Response messages into answers: JSON of the whole message or one field, or an HttpBody's own bytes.
//!
//! Owns what `response_body` and `$fields` select, and that a field that is not set still answers: `[]`, `{}`, the default, or null.
//! Source: google/api/http.proto (response_body), google/api/httpbody.proto.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::printer::{Enums, Print, Printer, Style};
use super::python::encode_error;
use super::reader::Loader;
use super::schema::{MessageType, Schema, Special, TypeId};
use super::selection::Tree;
use super::wire::MAX_NESTING;

const JSON: &str = "application/json";
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

/// How a binding answers, as Python tells it.
#[derive(FromPyObject)]
pub struct Told {
    output: String,
    response_body: String,
    raw: bool,
    proto_names: bool,
    print_defaults: bool,
    print_nulls: bool,
    int64_numbers: bool,
    max_bytes: usize,
}

pub struct Answer {
    output: TypeId,
    field: Option<usize>,
    raw: bool,
    style: Style,
}

impl Answer {
    pub fn new(py: Python<'_>, schema: &Schema, told: Told, plain: &Py<PyAny>) -> PyResult<Self> {
        let unfit = || PyValueError::new_err(format!("{} does not fit", told.output));
        let output = schema.find(&told.output).ok_or_else(unfit)?;
        let field = match told.response_body.as_str() {
            "" => None,
            name => Some(schema.get(output).named(name).ok_or_else(unfit)?),
        };
        let mut style = Style {
            proto_names: told.proto_names,
            enums: Enums::Names,
            defaults: told.print_defaults,
            nulls: told.print_nulls,
            int64_numbers: told.int64_numbers,
            pretty: false,
            max_bytes: told.max_bytes,
        };
        (style.enums, style.pretty) = rendered(plain.bind(py))?;
        Ok(Self { output, field, raw: told.raw, style })
    }

    pub fn is_raw(&self) -> bool {
        self.raw
    }

    /// The answer's content type and body.
    pub fn print(
        &self,
        py: Python<'_>,
        schema: &Schema,
        loader: &dyn Loader,
        message: &[u8],
        render: &Bound<'_, PyAny>,
        plain: &Py<PyAny>,
    ) -> PyResult<(String, Vec<u8>)> {
        let failed = |fail: Box<super::printer::Fail>| encode_error(py, *fail);
        let of = schema.get(self.output);
        if self.raw {
            return self.raw_answer(schema, loader, of, message).map_err(failed);
        }
        let (mut style, mut tree) = (self.style, None);
        if !render.is(plain) {
            (style.enums, style.pretty) = rendered(render)?;
            let fields: Vec<String> = render.getattr("fields")?.extract()?;
            tree = (!fields.is_empty()).then(|| Tree::of(&fields));
        }
        let mut printer = Printer::new(schema, style, loader, message.len() * 2 + 64);
        match self.field {
            None => printer.message(of, message, MAX_NESTING, tree.as_ref()),
            Some(field) => printer.one_field(of, field, message, tree.as_ref()),
        }
        .and_then(|()| printer.bounded())
        .map_err(failed)?;
        Ok((JSON.to_owned(), printer.out))
    }

    fn raw_answer(
        &self,
        schema: &Schema,
        loader: &dyn Loader,
        of: &MessageType,
        message: &[u8],
    ) -> Print<(String, Vec<u8>)> {
        let mut printer = Printer::new(schema, self.style, loader, 0);
        printer.merging = message.len(); // the one field, once
        let (body, content);
        let (of, bytes): (_, &[u8]) = match self.field {
            None => (of, message),
            Some(field) => {
                super::fields::check(schema, of, message, MAX_NESTING, false, 0)?;
                printer.find(of, message, MAX_NESTING)?;
                let run = printer.run_of(field);
                content = printer.merged(&of.fields[field], message, run, MAX_NESTING)?;
                printer.found.clear();
                body = of.fields[field].message.map_or(of, |of| schema.get(of));
                (body, &content)
            }
        };
        super::fields::check(schema, of, bytes, MAX_NESTING, false, 0)?;
        printer.find(of, bytes, MAX_NESTING)?;
        let part = |name| {
            let found = of.named(name).and_then(|index| {
                printer.found.iter().find(|found| found.field as usize == index).map(|found| &bytes[found.range()])
            });
            found.unwrap_or_default()
        };
        let content_type = match part("content_type") {
            [] => UNKNOWN_MEDIA_TYPE.to_owned(),
            named => String::from_utf8_lossy(named).into_owned(),
        };
        Ok((content_type, part("data").to_vec()))
    }
}

/// The enum style and pretty printing of a Render.
fn rendered(render: &Bound<'_, PyAny>) -> PyResult<(Enums, bool)> {
    let enums = match render.getattr("enums")?.extract::<&str>()? {
        "numbers" => Enums::Numbers,
        "short" => Enums::Short,
        _ => Enums::Names,
    };
    Ok((enums, render.getattr("pretty")?.extract()?))
}

impl Printer<'_> {
    /// Where the occurrences of a field are among those found.
    fn run_of(&self, field: usize) -> (usize, usize) {
        let start = self.found.partition_point(|found| (found.field as usize) < field);
        (start, self.found.partition_point(|found| found.field as usize <= field))
    }

    /// One field of a message as the whole answer; null where its absence can be told, but `{}` for a plain message.
    fn one_field(&mut self, of: &MessageType, index: usize, bytes: &[u8], tree: Option<&Tree>) -> Print<()> {
        super::fields::check(self.schema, of, bytes, MAX_NESTING, false, 0)?;
        self.find(of, bytes, MAX_NESTING)?;
        let field = &of.fields[index];
        let run = self.run_of(index);
        let plain = field.message.is_some_and(|of| self.schema.get(of).special == Special::No);
        if run.0 == run.1 && field.presence && !plain {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        self.value(field, bytes, run, MAX_NESTING, tree, true).map(drop)
    }
}

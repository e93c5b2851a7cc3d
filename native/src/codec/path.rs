//! Path captures into message fields.
//!
//! Owns the rule that the path wins: what it binds, a body may repeat but not change, directly or through another member of a oneof.
//! Queries and forms are held to the same by `parameters`, which runs after this.
//! Source: google/api/http.proto (path variables: non-repeated primitive fields, never maps).

use super::api::Api;
use super::leaf::{read, same};
use super::misfit::{Misfit, Piece, Read};
use super::overlay::{Node, What, content, member};
use super::reader::{Reader, Watch, Watched};
use super::refusal::{Bound, Source, blame, blame_field, refuse};
use super::schema::{Field, MessageType, Schema};

/// One path variable: the fields from the request message down to the one it fills.
#[derive(Debug)]
pub struct Variable {
    pub name: String,
    /// Indices, each in the type of the one before.
    pub steps: Vec<usize>,
    /// Whether a step is a member of a oneof.
    guarded: bool,
}

impl Variable {
    /// A variable of a binding that the portable engine has checked; None when it does not fit the type after all.
    pub fn new(schema: &Schema, root: &MessageType, name: &str) -> Option<Self> {
        let (mut of, mut steps, mut guarded) = (Some(root), Vec::new(), false);
        for segment in name.split('.') {
            let step = of?.named(segment)?;
            let field = &of?.fields[step];
            guarded |= field.oneof.is_some();
            steps.push(step);
            of = field.message.map(|id| schema.get(id));
        }
        Some(Self { name: name.to_owned(), steps, guarded })
    }

    pub fn leaf<'s>(&self, schema: &'s Schema, root: &'s MessageType) -> &'s Field {
        let mut of = root;
        for &step in &self.steps[..self.steps.len() - 1] {
            if let Some(id) = of.fields[step].message {
                of = schema.get(id);
            }
        }
        &of.fields[self.steps[self.steps.len() - 1]]
    }
}

/// The fields of a body to keep an eye on. `body`: the field the body fills, None for the whole message.
pub fn watch(variables: &[Variable], body: Option<usize>) -> Option<Watch> {
    let mut root = Watch::default();
    for (number, variable) in variables.iter().enumerate() {
        let steps = match body {
            Some(field) if variable.steps.first() != Some(&field) => continue,
            Some(_) => &variable.steps[1..],
            None => &variable.steps[..],
        };
        if let Some((&leaf, parents)) = steps.split_last() {
            let mut at = &mut root;
            for &step in parents {
                at = below(at, step);
            }
            at.fields.push((leaf, Watched::Variable(number)));
        }
    }
    (!root.fields.is_empty()).then_some(root)
}

fn below(watch: &mut Watch, step: usize) -> &mut Watch {
    let found = watch.fields.iter().position(|(index, what)| *index == step && matches!(what, Watched::Message(_)));
    let place = found.unwrap_or_else(|| {
        watch.fields.push((step, Watched::Message(Watch::default())));
        watch.fields.len() - 1
    });
    match &mut watch.fields[place].1 {
        Watched::Message(below) => below,
        Watched::Variable(_) => unreachable!("the place of a message"),
    }
}

/// What a body came to: its message's bytes, and what it tells of the path's fields.
#[derive(Default)]
pub struct Body<'b> {
    pub wire: Vec<u8>,
    pub text: &'b str,
    pub told: Vec<Option<(usize, usize)>>,
}

/// Binds the captures; the values, in the order of the variables.
pub fn bind(
    api: Api<'_>,
    root: &MessageType,
    variables: &[Variable],
    captures: &[&str],
    body: &Body<'_>,
    node: &mut Node,
) -> Bound<Vec<Vec<u8>>> {
    let mut values = Vec::with_capacity(variables.len());
    for (number, (variable, text)) in variables.iter().zip(captures).enumerate() {
        let leaf = variable.leaf(api.schema, root);
        let value = read(&api, leaf, text).map_err(|fail| blame_field(Source::Path, &variable.name, *fail))?;
        if variable.guarded && !body.wire.is_empty() {
            refuse_siblings(api.schema, root, variable, &body.wire)?;
        }
        let told = body.told.get(number).copied().flatten();
        if let Some((start, end)) = told {
            let told = &body.text[start..end];
            if !holds(api, leaf, told, &value).map_err(|fail| blame(Source::Body, *fail))? {
                let text = vec![
                    "the path says ".into(),
                    Piece::Text((*text).to_owned()),
                    ", the body says ".into(),
                    Piece::Json(told.to_owned()),
                ];
                return refuse(Source::Body, &variable.name, text);
            }
        } else {
            let (&last, parents) = variable.steps.split_last().ok_or_else(no_steps)?;
            let parent = parents.iter().fold(&mut *node, |node, &step| node.child(step));
            parent.add(last, What::Value(value.clone()));
        }
        values.push(value);
    }
    Ok(values)
}

fn no_steps() -> Box<super::refusal::Refusal> {
    blame(Source::Path, super::misfit::Fail::Misfit(Misfit::new("names no field")))
}

/// Whether the body's JSON says the value of a field that the path says.
fn holds(api: Api<'_>, leaf: &Field, told: &str, value: &[u8]) -> Read<bool> {
    let mut reader = Reader::new(told, api.schema, api.options, api.loader);
    reader.whole(|reader| reader.field(leaf, 1, None))?;
    let (mut at, mut held) = (0, Vec::new());
    let wire = &reader.out;
    while at < wire.len() {
        let (_, kind) = super::wire::read_tag(wire, &mut at)?;
        let start = at;
        if kind == super::wire::LEN {
            let (start, end) = super::wire::read_span(wire, &mut at)?;
            if leaf.packed {
                let mut inner = start;
                while inner < end {
                    let from = inner;
                    super::wire::skip(wire, &mut inner, 1, super::values::wire_type(leaf.kind), 0)?;
                    held.push(&wire[from..inner]);
                }
            } else {
                held.push(&wire[start..end]);
            }
        } else {
            super::wire::skip(wire, &mut at, 1, kind, 0)?;
            held.push(&wire[start..at]);
        }
    }
    Ok(match held[..] {
        [one] => same(leaf, one, value),
        // A default that is not written.
        [] if !leaf.repeated => {
            let mut unset = Vec::new();
            super::overlay::put_value(&mut unset, leaf, value);
            unset.is_empty()
                || (leaf.kind == super::schema::Kind::Double && same(leaf, value, &[0; 8]))
                || (leaf.kind == super::schema::Kind::Float && same(leaf, value, &[0; 4]))
        }
        _ => false,
    })
}

/// A oneof on the way that the body set otherwise is refused.
fn refuse_siblings(schema: &Schema, root: &MessageType, variable: &Variable, wire: &[u8]) -> Bound<()> {
    let (mut of, mut wire) = (root, wire);
    for &step in &variable.steps {
        let field = &of.fields[step];
        let malformed =
            |error: super::wire::Malformed| blame(Source::Body, super::misfit::Fail::Misfit(Misfit::new(error.0)));
        if let Some(oneof) = field.oneof
            && let Some(taken) = member(of, wire, oneof).map_err(malformed)?.filter(|&taken| taken != step)
        {
            let (taken, name) = (&of.fields[taken].name, &of.oneofs[oneof as usize]);
            let text = format!("the path sets {} of oneof {name}, the body sets {taken}", field.name);
            return refuse(Source::Body, &variable.name, vec![text.into()]);
        }
        if let Some(id) = field.message {
            wire = content(of, wire, step).map_err(malformed)?;
            of = schema.get(id);
        }
    }
    Ok(())
}

//! Named text values into message fields: what query parameters and form fields have in common.
//!
//! Owns how a name is resolved (`a.b.c` in either spelling, `map[key]`), that a singular field is given once, that one member of a
//! oneof is set, and that a field the path has bound keeps its value. Source: google/api/http.proto, rules for query parameters.

use super::api::Api;
use super::leaf::{entry, is_textual, read, same};
use super::maps::ordered;
use super::misfit::{Fail, Misfit, Piece};
use super::outline::{Outline, Outlines};
use super::overlay::{EntryKey, Node, What};
use super::path::Variable;
use super::refusal::{Bound, Source, blame, blame_field, refuse};
use super::schema::{Field, Kind, MessageType, Special};
use super::values::text_bits;
use super::wire::Malformed;

/// How one binding takes parameters of one kind.
pub struct Parameters<'p> {
    pub api: Api<'p>,
    pub root: &'p MessageType,
    pub variables: &'p [Variable],
    pub captures: &'p [&'p str],
    pub values: &'p [Vec<u8>],
    pub source: Source,
    /// The field of the request message whose fields are meant, for the form of a body field.
    pub prefix: Option<usize>,
    /// The field that the body binds: only repeated fields in it take more.
    pub closed: Option<usize>,
    /// The body's bytes, in the request message.
    pub wire: &'p [u8],
    pub outlines: Outlines<'p>,
    /// How many fields a name may go through.
    pub max_depth: usize,
}

/// Fields down from the request message, and the text of the map key if the last is a map.
struct Target<'t> {
    steps: Vec<usize>,
    key: Option<&'t str>,
}

impl Parameters<'_> {
    /// Puts one value in its field; false when the name means no field that may be given here.
    pub fn bind(&self, node: &mut Node, name: &str, text: &str) -> Bound<bool> {
        let Some(Target { steps, key }) = self.resolve(name)? else {
            return Ok(false);
        };
        let leaf = self.field(&steps);
        if self.closed.is_some() && steps.first().copied() == self.closed && (!leaf.repeated || key.is_some()) {
            return Ok(false);
        }
        let value_field = self.value_field(leaf);
        if !is_textual(value_field, self.api.schema) {
            return self.refuse(&steps, "is a message: it cannot be given as text".into());
        }
        let value = read(&self.api, value_field, text).map_err(|fail| self.blame(&steps, *fail))?;
        self.refuse_siblings(node, &steps)?;
        if let Some(bound) = self.variables.iter().position(|variable| variable.steps == steps) {
            return self.agree(leaf, &steps, bound, text, &value).map(|()| true);
        }
        let (&last, parents) = steps.split_last().ok_or_else(|| self.blame(&[], Fail::Syntax))?;
        let parent = parents.iter().fold(node, |node, &step| node.child(step));
        let what = match key {
            Some(key) => self.entry(parent, leaf, &steps, key, value)?,
            None => {
                if !leaf.repeated && parent.has(last) {
                    return self.refuse(&steps, "is given twice".into());
                }
                What::Value(value)
            }
        };
        parent.add(last, what);
        Ok(true)
    }

    fn message(&self, field: &Field) -> Option<&MessageType> {
        field.message.map(|of| self.api.schema.get(of))
    }

    /// The field at the end of the steps.
    fn field(&self, steps: &[usize]) -> &Field {
        let (last, parents) = steps.split_last().unwrap_or((&0, &[]));
        let of = parents.iter().fold(self.root, |of, &step| self.message(&of.fields[step]).unwrap_or(of));
        &of.fields[*last]
    }

    fn value_field<'f>(&'f self, leaf: &'f Field) -> &'f Field {
        if leaf.map { self.message(leaf).and_then(|entry| entry.field(2)).unwrap_or(leaf) } else { leaf }
    }

    fn names(&self, steps: &[usize]) -> String {
        let mut of = Some(self.root);
        let mut names = Vec::new();
        for &step in steps {
            let Some(field) = of.map(|of| &of.fields[step]) else {
                break;
            };
            names.push(field.name.as_str());
            of = self.message(field);
        }
        names.join(".")
    }

    #[cold]
    fn refuse<T>(&self, steps: &[usize], text: Piece) -> Bound<T> {
        refuse(self.source, self.names(steps), vec![text])
    }

    #[cold]
    fn blame(&self, steps: &[usize], fail: Fail) -> Box<super::refusal::Refusal> {
        blame_field(self.source, &self.names(steps), fail)
    }

    fn resolve<'t>(&self, name: &'t str) -> Bound<Option<Target<'t>>> {
        let prefix: Vec<usize> = self.prefix.into_iter().collect();
        let of = self.prefix.map_or(Some(self.root), |field| self.message(&self.root.fields[field]));
        let Some(of) = of else { return Ok(None) };
        let must_name = |steps: &[usize], name: &str| {
            self.refuse(steps, format!("is a map: name the key, {name}[key]=value").into())
        };
        if let Some(slot) = of.keys.find(name.as_bytes()) {
            let index = of.keys.keys[slot as usize].field as usize;
            let steps: Vec<usize> = prefix.iter().copied().chain([index]).collect();
            if of.fields[index].map {
                return refuse(self.source, name, vec![format!("is a map: name the key, {name}[key]=value").into()]);
            }
            return Ok(Some(Target { steps, key: None }));
        }
        let (dotted, key) = name.split_once('[').map_or((name, None), |(dotted, key)| (dotted, Some(key)));
        let Some(steps) = self.walk(of, prefix, dotted)? else {
            return Ok(None);
        };
        let is_map = self.field(&steps).map;
        match key {
            None if is_map => must_name(&steps, dotted),
            None => Ok(Some(Target { steps, key: None })),
            Some(key) => match key.strip_suffix(']') {
                Some(key) if is_map => Ok(Some(Target { steps, key: Some(key) })),
                _ => {
                    let text = vec![Piece::Text(name.to_owned()), " is no entry of a map: write name[key]".into()];
                    refuse(self.source, self.names(&steps), text)
                }
            },
        }
    }

    /// The fields a dotted name goes through; None when one does not exist.
    fn walk(&self, of: &MessageType, mut steps: Vec<usize>, dotted: &str) -> Bound<Option<Vec<usize>>> {
        let mut of = of;
        for (position, segment) in dotted.split('.').enumerate() {
            if position > 0 {
                let last = steps.last().map(|&step| &of.fields[step]);
                of = match last.map_or(Ok(None), |last| self.enter(last, &steps))? {
                    Some(of) => of,
                    None => return Ok(None),
                };
            }
            let Some(slot) = of.keys.find(segment.as_bytes()) else {
                return Ok(None);
            };
            steps.push(of.keys.keys[slot as usize].field as usize);
        }
        Ok(Some(steps))
    }

    fn enter(&self, last: &Field, steps: &[usize]) -> Bound<Option<&MessageType>> {
        if last.repeated {
            return self.refuse(steps, "a dotted name cannot go through a repeated field or a map".into());
        }
        let Some(of) = self.message(last) else {
            return self.refuse(steps, "is not a message, it has no fields".into());
        };
        if of.special != Special::No {
            return self.refuse(steps, format!("is a {}: it is given whole, as text", of.full_name).into());
        }
        if steps.len() >= self.max_depth {
            return self.refuse(&steps[..steps.len().min(3)], "the name goes too deep".into());
        }
        Ok(Some(of))
    }

    /// A oneof on the way that is set otherwise is refused.
    fn refuse_siblings(&self, node: &Node, steps: &[usize]) -> Bound<()> {
        let malformed = |error: Malformed| blame(self.source, Fail::Misfit(Misfit::new(error.0)));
        let (mut of, mut node) = (self.root, Some(node));
        let mut outline = self.outlines.of(self.root, self.wire).map_err(malformed)?;
        for (position, &step) in steps.iter().enumerate() {
            let field = &of.fields[step];
            if let Some(oneof) = field.oneof {
                let mut bound = node.iter().flat_map(|node| node.fields());
                let taken = bound
                    .find(|&index| of.fields[index].oneof == Some(oneof))
                    .or_else(|| outline.as_ref().and_then(|outline| outline.member(oneof)));
                if let Some(taken) = taken.filter(|&taken| taken != step) {
                    let (taken, name) = (&of.fields[taken].name, &of.oneofs[oneof as usize]);
                    let text = format!("cannot be set beside {taken}: a message has one of {name}");
                    return self.refuse(&steps[..=position], text.into());
                }
            }
            if position + 1 < steps.len() {
                node = node.and_then(|node| node.existing(step));
                let inside = outline.as_deref().map_or(&[][..], |outline: &Outline| outline.content(step));
                of = self.message(field).unwrap_or(of);
                outline = self.outlines.of(of, inside).map_err(malformed)?;
            }
        }
        Ok(())
    }

    fn agree(&self, leaf: &Field, steps: &[usize], bound: usize, text: &str, value: &[u8]) -> Bound<()> {
        if self.values.get(bound).is_some_and(|held| same(leaf, held, value)) {
            return Ok(());
        }
        let word = if self.source == Source::Query { ", the query says " } else { ", the body says " };
        let capture = self.captures.get(bound).copied().unwrap_or_default().to_owned();
        let pieces = vec!["the path says ".into(), Piece::Text(capture), word.into(), Piece::Text(text.to_owned())];
        refuse(self.source, self.names(steps), pieces)
    }

    fn entry(&self, parent: &mut Node, leaf: &Field, steps: &[usize], key: &str, value: Vec<u8>) -> Bound<What> {
        let fields = self.message(leaf).and_then(|entry| entry.field(1).zip(entry.field(2)));
        let Some((key_field, value_field)) = fields else {
            return self.refuse(steps, "is no map".into());
        };
        let bits = if key_field.kind == Kind::String {
            None
        } else {
            let read = text_bits(key_field, key, self.api.options.lenient_bools);
            Some(read.map_err(|mut misfit| {
                misfit.text.insert(0, "key: ".into());
                self.blame(steps, Fail::Misfit(misfit))
            })?)
        };
        let named = match bits {
            Some(bits) => EntryKey::Number(ordered(key_field.kind, bits)),
            None => EntryKey::Text(key.to_owned()),
        };
        let index = steps[steps.len() - 1];
        if !parent.first_time(index, named.clone()) {
            let key = match named {
                EntryKey::Text(key) => Piece::Text(key),
                EntryKey::Number(_) => number_piece(key_field, bits.unwrap_or_default()),
            };
            let text = vec!["is given twice for the key ".into(), key];
            return refuse(self.source, self.names(steps), text);
        }
        Ok(What::Entry(entry(key_field, bits, key, value_field, &value)))
    }
}

/// A number or boolean key as Python writes it.
fn number_piece(field: &Field, bits: u64) -> Piece {
    let text = match field.kind {
        Kind::Bool => if bits == 0 { "False" } else { "True" }.to_owned(),
        Kind::SInt32 | Kind::SInt64 => super::wire::unzigzag(bits).to_string(),
        Kind::SFixed32 => (bits as u32 as i32).to_string(),
        Kind::Int32 | Kind::Int64 | Kind::SFixed64 => (bits as i64).to_string(),
        _ => bits.to_string(),
    };
    text.into()
}

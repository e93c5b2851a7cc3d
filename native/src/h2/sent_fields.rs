//! Header lists of Python's on their way out, and which of their tuples were sent before.
//!
//! Callers build lists of constants and a few fields of the call. A tuple of bytes never changes, so the very same object means the
//! very same field: where it stands in the table is remembered by its identity, and neither it nor its text is looked at again.
//! A remembered tuple is held, so that no other object can have its identity. Bounded: a slot is taken over by the next.
//! What kind of field it is, is remembered with it: whether a list may be sent at all is decided before anything is written.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::block_facts::BlockFacts;
use super::dynamic_table::ENTRY_OVERHEAD;
use super::encoder::{Encoder, Place};
use super::field_kind::FieldFacts;
use super::header_frames::Headers;

const SLOTS: usize = 64;
const USUAL_FIELDS: usize = 16;

#[derive(Clone, Copy)]
struct Known {
    place: Place,
    facts: FieldFacts,
}

/// Of one connection.
#[derive(Default)]
pub struct SentFields {
    slots: Vec<Option<(Py<PyTuple>, Known)>>,
    emptied: u32,
}

impl SentFields {
    fn known(&self, field: &Bound<'_, PyAny>) -> Option<Known> {
        match self.slots.get(slot(field)) {
            Some(Some((sent, known))) if sent.is(field) => Some(*known),
            _ => None,
        }
    }

    fn remember(&mut self, field: &Bound<'_, PyTuple>, known: Known) {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        self.slots[slot(field)] = Some((field.clone().unbind(), known));
    }
}

fn slot(field: &Bound<'_, PyAny>) -> usize {
    let address = field.as_ptr() as usize;
    (address >> 4 ^ address >> 10) % SLOTS
}

/// One list. All of it was looked at: what is not remembered is a tuple that begins with two `bytes`.
pub struct Sending<'py, 'a> {
    fields: Vec<(Bound<'py, PyTuple>, Option<Known>)>,
    sent: &'a mut SentFields,
}

impl<'py, 'a> Sending<'py, 'a> {
    pub fn new(headers: &Bound<'py, PyAny>, sent: &'a mut SentFields) -> PyResult<Self> {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        if let Ok(list) = headers.cast::<PyList>() {
            for field in list {
                fields.push(looked_at(field, sent)?);
            }
        } else {
            for field in headers.try_iter()? {
                fields.push(looked_at(field?, sent)?);
            }
        }
        Ok(Self { fields, sent })
    }

    /// Whether a request may have this head (`edge/core/header_rules.py`, `head_fault`).
    pub fn is_sound(&self) -> bool {
        let mut block = BlockFacts::default();
        for (field, known) in &self.fields {
            if let Some(facts) = known.map(|known| known.facts).or_else(|| with_text(field, FieldFacts::of)) {
                block.place(facts);
            }
        }
        block.is_sendable()
    }

    /// The size as SETTINGS_MAX_HEADER_LIST_SIZE counts it.
    pub fn list_bytes(&self) -> usize {
        let size = |name: &[u8], value: &[u8]| name.len() + value.len() + ENTRY_OVERHEAD;
        self.fields.iter().filter_map(|(field, _)| with_text(field, size)).sum()
    }
}

fn looked_at<'py>(field: Bound<'py, PyAny>, sent: &SentFields) -> PyResult<(Bound<'py, PyTuple>, Option<Known>)> {
    let known = sent.known(&field);
    let field = field.cast_into::<PyTuple>()?;
    if known.is_none() {
        field.get_borrowed_item(0)?.cast::<PyBytes>()?;
        field.get_borrowed_item(1)?.cast::<PyBytes>()?;
    }
    Ok((field, known))
}

/// Calls with the name and the value of a field that was looked at.
fn with_text<R>(field: &Bound<'_, PyTuple>, call: impl FnOnce(&[u8], &[u8]) -> R) -> Option<R> {
    let (name, value) = (field.get_borrowed_item(0).ok()?, field.get_borrowed_item(1).ok()?);
    Some(call(name.cast::<PyBytes>().ok()?.as_bytes(), value.cast::<PyBytes>().ok()?.as_bytes()))
}

impl Headers for Sending<'_, '_> {
    fn first_is(&self, name: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
        let first = self.fields.first();
        first.and_then(|(field, _)| with_text(field, |first, value| first == name && test(value))).unwrap_or(false)
    }

    fn encode(&mut self, encoder: &mut Encoder, out: &mut Vec<u8>) {
        if self.sent.emptied != encoder.emptied() {
            *self.sent = SentFields { slots: Vec::new(), emptied: encoder.emptied() };
            self.fields.iter_mut().for_each(|(_, known)| *known = None);
        }
        for (field, known) in &self.fields {
            if let Some(known) = known {
                encoder.indexed(out, known.place);
                continue;
            }
            let write = |name: &[u8], value: &[u8]| {
                encoder.field(out, name, value).map(|place| Known { place, facts: FieldFacts::of(name, value) })
            };
            if let Some(Some(known)) = with_text(field, write) {
                self.sent.remember(field, known);
            }
        }
    }
}

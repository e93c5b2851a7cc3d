//! Header lists of Python's on their way out, and which of their tuples were sent before.
//!
//! Callers build lists of constants and a few fields of the call. A tuple of bytes never changes, so the very same object means the
//! very same field: where it stands in the table is remembered by its identity, and neither it nor its text is looked at again.
//! A remembered tuple is held, so that no other object can have its identity. Bounded: a slot is taken over by the next.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::encoder::{Encoder, Place};
use super::header_frames::Headers;

const SLOTS: usize = 64;
const USUAL_FIELDS: usize = 16;

/// Of one connection.
#[derive(Default)]
pub struct SentFields {
    slots: Vec<Option<(Py<PyTuple>, Place)>>,
    emptied: u32,
}

impl SentFields {
    fn place(&self, field: &Bound<'_, PyAny>) -> Option<Place> {
        match self.slots.get(slot(field)) {
            Some(Some((known, place))) if known.is(field) => Some(*place),
            _ => None,
        }
    }

    fn remember(&mut self, field: &Bound<'_, PyTuple>, place: Place) {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        self.slots[slot(field)] = Some((field.clone().unbind(), place));
    }
}

fn slot(field: &Bound<'_, PyAny>) -> usize {
    let address = field.as_ptr() as usize;
    (address >> 4 ^ address >> 10) % SLOTS
}

/// One list. All of it was looked at: what is not remembered is a tuple that begins with two `bytes`.
pub struct Sending<'py, 'a> {
    fields: Vec<(Bound<'py, PyTuple>, Option<Place>)>,
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
}

fn looked_at<'py>(field: Bound<'py, PyAny>, sent: &SentFields) -> PyResult<(Bound<'py, PyTuple>, Option<Place>)> {
    let place = sent.place(&field);
    let field = field.cast_into::<PyTuple>()?;
    if place.is_none() {
        field.get_borrowed_item(0)?.cast::<PyBytes>()?;
        field.get_borrowed_item(1)?.cast::<PyBytes>()?;
    }
    Ok((field, place))
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
            self.fields.iter_mut().for_each(|(_, place)| *place = None);
        }
        for (field, place) in &self.fields {
            if let Some(place) = *place {
                encoder.indexed(out, place);
            } else if let Some(Some(place)) = with_text(field, |name, value| encoder.field(out, name, value)) {
                self.sent.remember(field, place);
            }
        }
    }
}

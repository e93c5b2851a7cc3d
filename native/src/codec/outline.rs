//! What a body's bytes have of each message that parameters go through, found once.
//!
//! Owns that a message is looked through once and not once for each parameter: a query of a thousand parameters over a body of a million
//! elements would else keep a worker busy for seconds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::schema::MessageType;
use super::wire::{LEN, MAX_NESTING, Malformed, read_span, read_tag, skip};

/// The singular messages in a message's bytes (ours: each is there once at most), and which member each oneof has.
pub struct Outline<'w> {
    messages: HashMap<usize, &'w [u8]>,
    members: HashMap<u16, usize>,
}

impl<'w> Outline<'w> {
    fn new(of: &MessageType, wire: &'w [u8]) -> Result<Self, Malformed> {
        let (mut messages, mut members, mut at) = (HashMap::new(), HashMap::new(), 0);
        while at < wire.len() {
            let (number, kind) = read_tag(wire, &mut at)?;
            let index = of.index_of(number);
            if let Some(oneof) = index.and_then(|index| of.fields[index].oneof) {
                members.extend(index.map(|index| (oneof, index)));
            }
            match index {
                Some(index) if kind == LEN && of.fields[index].is_message() && !of.fields[index].repeated => {
                    let (start, end) = read_span(wire, &mut at)?;
                    messages.insert(index, &wire[start..end]);
                }
                _ => skip(wire, &mut at, number, kind, MAX_NESTING)?,
            }
        }
        Ok(Self { messages, members })
    }

    /// The content of a singular message field.
    pub fn content(&self, field: usize) -> &'w [u8] {
        self.messages.get(&field).copied().unwrap_or_default()
    }

    /// The member that a oneof has.
    pub fn member(&self, oneof: u16) -> Option<usize> {
        self.members.get(&oneof).copied()
    }
}

/// By where a message's bytes stand, which is another place for each: one within another is shorter.
#[derive(Default)]
pub struct Outlines<'w>(RefCell<HashMap<(usize, usize), Rc<Outline<'w>>>>);

impl<'w> Outlines<'w> {
    /// The outline of these bytes; None of a message that has none.
    pub fn of(&self, of: &MessageType, wire: &'w [u8]) -> Result<Option<Rc<Outline<'w>>>, Malformed> {
        if wire.is_empty() {
            return Ok(None);
        }
        let place = (wire.as_ptr() as usize, wire.len());
        if let Some(known) = self.0.borrow().get(&place) {
            return Ok(Some(known.clone()));
        }
        let made = Rc::new(Outline::new(of, wire)?);
        self.0.borrow_mut().insert(place, made.clone());
        Ok(Some(made))
    }
}

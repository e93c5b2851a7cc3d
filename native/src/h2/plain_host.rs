//! A host without Python, for tests: fields are vectors, events are kept, misbehaviour is summed.

use super::host::{Budget, Event, Fields, Host};

pub type Field = (Vec<u8>, Vec<u8>);
pub type List = Vec<Field>;

/// An event that owns what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Headers { stream: u32, headers: List, end: bool, interim: bool },
    Data { stream: u32, data: Vec<u8>, flow_bytes: usize, end: bool },
    Trailers { stream: u32, headers: List },
    Reset { stream: u32, code: u32, by_peer: bool },
    WindowOpened(u32),
    Settings(u64, u64),
    GoAway(u32, u32),
    Pong,
    Failed(u32),
}

impl Told {
    /// A stream or the connection broke.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Reset { .. })
    }
}

#[derive(Default)]
pub struct PlainHost {
    pub events: Vec<Told>,
    pub points: u32,
    pub limit: Option<u32>,
}

impl PlainHost {
    /// What was told since the last time.
    pub fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.events)
    }
}

impl Fields for PlainHost {
    type Field = Field;
    type List = List;

    fn field(&mut self, name: &[u8], value: &[u8]) -> Field {
        (name.to_vec(), value.to_vec())
    }

    fn named_like(&mut self, other: &Field, value: &[u8]) -> Field {
        (other.0.clone(), value.to_vec())
    }

    fn static_field(&mut self, index: usize) -> Field {
        let (name, value) = super::static_table::ENTRIES[index];
        self.field(name, value)
    }

    fn share(&mut self, field: &Field) -> Field {
        field.clone()
    }

    fn list(&mut self, fields: &mut Vec<Field>) -> List {
        std::mem::take(fields)
    }

    fn share_list(&mut self, list: &List) -> List {
        list.clone()
    }
}

impl Budget for PlainHost {
    fn charge(&mut self, points: u32) -> bool {
        self.points += points;
        self.limit.is_some_and(|limit| self.points >= limit)
    }

    fn earn(&mut self, points: u32) {
        self.points = self.points.saturating_sub(points);
    }
}

impl Host for PlainHost {
    fn event(&mut self, event: Event<'_, List>) {
        self.events.push(match event {
            Event::Headers { stream, headers, end, interim, .. } => Told::Headers { stream, headers, end, interim },
            Event::Data { stream, data, flow_bytes, end } => {
                Told::Data { stream, data: data.to_vec(), flow_bytes, end }
            }
            Event::Trailers { stream, headers } => Told::Trailers { stream, headers },
            Event::Reset { stream, code, by_peer } => Told::Reset { stream, code, by_peer },
            Event::WindowOpened { stream } => Told::WindowOpened(stream),
            Event::Settings { max_concurrent_streams, max_header_list_bytes } => {
                Told::Settings(max_concurrent_streams, max_header_list_bytes)
            }
            Event::GoAway { last_stream, code, .. } => Told::GoAway(last_stream, code),
            Event::PingAcknowledged { .. } => Told::Pong,
            Event::Failed { code, .. } => Told::Failed(code),
        });
    }
}

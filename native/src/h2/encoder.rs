//! Writing header blocks that cost little, of messages that resemble each other (RFC 7541).
//!
//! Owns the invariant that nothing is ever evicted: only fields that repeat by nature enter the dynamic table, and only while
//! there is room, so an entry's number never changes meaning. Everything else, above all what callers choose, is a literal that
//! no table remembers, which keeps secrets out of the compression context (section 7.1). As in `header_encoder.py`.

use super::dynamic_table::{DEFAULT_BYTES, ENTRY_OVERHEAD};
use super::hash::hash;
use super::{integer, static_table};

const INDEXED: u8 = 0x80;
const INCREMENTAL: u8 = 0x40;
const NEVER_INDEXED: u8 = 0x10;
const SIZE_UPDATE: u8 = 0x20;

/// Where a field stands in a table of ours: what it takes to write it again without looking at its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Static(usize),
    /// The how-manieth entry it was.
    Dynamic(usize),
}

/// How a name is written.
#[derive(Clone, Copy, Default)]
struct Name {
    /// The first static entry of this name, 0 for none; those of the same name follow it.
    index: usize,
    entries: usize,
    repeats: bool,
    secret: bool,
}

struct Entry {
    hash: u64,
    name: Box<[u8]>,
    value: Box<[u8]>,
}

/// The encoder of one connection.
pub struct Encoder {
    entries: Vec<Entry>,
    used: usize,
    limit: usize,
    shrunk: bool,
    emptied: u32,
}

impl Encoder {
    pub fn new() -> Self {
        Self { entries: Vec::new(), used: 0, limit: DEFAULT_BYTES, shrunk: false, emptied: 0 }
    }

    /// How often the table was emptied: a `Place` from before means nothing any more.
    pub fn emptied(&self) -> u32 {
        self.emptied
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE; a larger table than the default is not used.
    pub fn set_limit(&mut self, limit: usize) {
        if limit < self.limit {
            self.limit = limit;
            self.shrunk = true;
        }
    }

    /// What must stand before the first field of a block.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if self.shrunk {
            integer::encode(out, 0, 5, SIZE_UPDATE);
            integer::encode(out, self.limit, 5, SIZE_UPDATE);
            self.entries.clear();
            self.used = 0;
            self.shrunk = false;
            self.emptied += 1;
        }
    }

    /// A field that stands in a table.
    pub fn indexed(&self, out: &mut Vec<u8>, place: Place) {
        let index = match place {
            Place::Static(index) => index,
            Place::Dynamic(number) => static_table::COUNT + self.entries.len() - number,
        };
        integer::encode(out, index, 7, INDEXED);
    }

    /// One field, and where it stands now. Names must be lower case; the caller vouches for the values.
    pub fn field(&mut self, out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Option<Place> {
        let known = known(name);
        for index in known.index..known.index + known.entries {
            if static_table::ENTRIES[index - 1].1 == value {
                self.indexed(out, Place::Static(index));
                return Some(Place::Static(index));
            }
        }
        if known.repeats {
            let hash = hash(value) ^ known.index as u64 ^ (name.len() as u64) << 32;
            if let Some(number) = self.number(hash, name, value) {
                self.indexed(out, Place::Dynamic(number));
                return Some(Place::Dynamic(number));
            }
            let size = name.len() + value.len() + ENTRY_OVERHEAD;
            if self.used + size <= self.limit {
                self.used += size;
                self.entries.push(Entry { hash, name: name.into(), value: value.into() });
                literal(out, known.index, name, value, 6, INCREMENTAL);
                return Some(Place::Dynamic(self.entries.len() - 1));
            }
        }
        literal(out, known.index, name, value, 4, if known.secret { NEVER_INDEXED } else { 0 });
        None
    }

    fn number(&self, hash: u64, name: &[u8], value: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| entry.hash == hash && *entry.value == *value && *entry.name == *name)
    }
}

fn literal(out: &mut Vec<u8>, index: usize, name: &[u8], value: &[u8], prefix_bits: u32, flags: u8) {
    integer::encode(out, index, prefix_bits, flags);
    if index == 0 {
        string(out, name);
    }
    string(out, value);
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    integer::encode(out, text.len(), 7, 0);
    out.extend_from_slice(text);
}

fn known(name: &[u8]) -> Name {
    let (index, entries, repeats, secret) = match name {
        b":authority" => (1, 0, true, false),
        b":method" => (2, 2, true, false),
        b":path" => (4, 2, true, false),
        b":scheme" => (6, 2, true, false),
        b":status" => (8, 7, true, false),
        b"accept-encoding" => (16, 1, false, false),
        b"authorization" => (23, 0, false, true),
        b"content-type" => (31, 0, true, false),
        b"cookie" => (32, 0, false, true),
        b"proxy-authorization" => (49, 0, false, true),
        b"server" => (54, 0, true, false),
        b"set-cookie" => (55, 0, false, true),
        b"user-agent" => (58, 0, true, false),
        b"te" | b"grpc-accept-encoding" | b"grpc-encoding" => (0, 0, true, false),
        _ => (plain(name), 0, false, false),
    };
    Name { index, entries, repeats, secret }
}

/// The number of a static entry that gives nothing but its name.
fn plain(name: &[u8]) -> usize {
    match name {
        b"accept-charset" => 15,
        b"accept-language" => 17,
        b"accept-ranges" => 18,
        b"accept" => 19,
        b"access-control-allow-origin" => 20,
        b"age" => 21,
        b"allow" => 22,
        b"cache-control" => 24,
        b"content-disposition" => 25,
        b"content-encoding" => 26,
        b"content-language" => 27,
        b"content-length" => 28,
        b"content-location" => 29,
        b"content-range" => 30,
        b"date" => 33,
        b"etag" => 34,
        b"expect" => 35,
        b"expires" => 36,
        b"from" => 37,
        b"host" => 38,
        b"if-match" => 39,
        b"if-modified-since" => 40,
        b"if-none-match" => 41,
        b"if-range" => 42,
        b"if-unmodified-since" => 43,
        b"last-modified" => 44,
        b"link" => 45,
        b"location" => 46,
        b"max-forwards" => 47,
        b"proxy-authenticate" => 48,
        b"range" => 50,
        b"referer" => 51,
        b"refresh" => 52,
        b"retry-after" => 53,
        b"strict-transport-security" => 56,
        b"transfer-encoding" => 57,
        b"vary" => 59,
        b"via" => 60,
        b"www-authenticate" => 61,
        _ => 0,
    }
}

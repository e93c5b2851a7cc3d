//! From boundary to boundary: a head, then its body, then the next head; never an octet past one (`edge.wire.http1.RequestReader`).

use super::chunks::Chunks;
use super::flaw::{Flaw, Kind};
use super::rules::{Facts, Special};
use super::scan::Scan;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub uri: usize,
    pub header_bytes: usize,
    pub header_count: usize,
    pub head_wire: u64,
}

impl Limits {
    /// Of `data`, behind `before` octets of a section: none past the first that is one too many.
    pub fn within(self, before: usize, data: &[u8]) -> &[u8] {
        let most = usize::try_from(self.head_wire).unwrap_or(usize::MAX).saturating_add(1);
        &data[..data.len().min(most.saturating_sub(before))]
    }
}

enum Body {
    None,
    Length(u64),
    Chunked(Box<Chunks>),
}

/// Wire octets a chunked body may cost per body octet; an honest one-octet chunk costs 6 (Go's CVE-2023-39326).
const CHUNK_OVERHEAD: u64 = 8;

/// A body up to this size that comes with its head is read with it (`edge.wire.http1.WHOLE_BYTES`).
const WHOLE_BYTES: usize = 64 * 1024;

const TOO_LONG: Flaw = Flaw::new(Kind::UriTooLong, "");
const TOO_LARGE: Flaw = Flaw::new(Kind::HeadersTooLarge, "");
const OUT_OF_PROPORTION: Flaw = Flaw::malformed("chunk extensions out of proportion");

pub struct Reader {
    limits: Limits,
    pub scan: Scan,
    /// The head so far, when it came in pieces.
    partial: Vec<u8>,
    body: Body,
    body_bytes: u64,
    wire_bytes: u64,
    pub facts: Facts,
    pub head_complete: bool,
    pub complete: bool,
    pub flaw: Option<Flaw>,
    pub max_body: Option<u64>,
}

impl Reader {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            scan: Scan::default(),
            partial: Vec::new(),
            body: Body::None,
            body_bytes: 0,
            wire_bytes: 0,
            facts: Facts::default(),
            head_complete: false,
            complete: false,
            flaw: None,
            max_body: Some(0),
        }
    }

    /// Forget the request; the next octet starts a new one.
    pub fn reset(&mut self) {
        self.scan.clear();
        self.partial = Vec::new(); // an idle connection holds nothing
        self.body = Body::None;
        (self.body_bytes, self.wire_bytes) = (0, 0);
        self.facts = Facts::default();
        (self.head_complete, self.complete, self.flaw, self.max_body) = (false, false, None, Some(0));
    }

    /// Consume `data` to the end of the head or of the message, whichever comes first; how much that was.
    ///
    /// `headed` is given the head once it is whole, sound or not; `content` the body's pieces.
    pub fn feed(
        &mut self,
        data: &[u8],
        headed: &mut impl FnMut(&Self, &[u8]),
        content: &mut impl FnMut(&[u8]),
    ) -> usize {
        if self.flaw.is_some() || self.complete {
            return data.len();
        }
        if self.head_complete { self.feed_body(data, content) } else { self.feed_head(data, headed) }
    }

    /// Whether a request whose head was just read ends with `rest`, all that came behind it: its body is then taken for read.
    ///
    /// Not where the client waits for 100, nor where the connection ends with the request: what is behind its head may be in another
    /// protocol.
    pub fn take_whole(&mut self, rest: &[u8]) -> bool {
        if self.flaw.is_none()
            && self.facts.keep_alive
            && !self.facts.expects
            && rest.len() <= WHOLE_BYTES
            && matches!(self.body, Body::Length(length) if length == rest.len() as u64)
        {
            self.body = Body::None;
            self.complete = true;
            return true;
        }
        self.flaw.is_none() && self.complete && rest.is_empty()
    }

    fn feed_head(&mut self, data: &[u8], headed: &mut impl FnMut(&Self, &[u8])) -> usize {
        let mut held = std::mem::take(&mut self.partial);
        let before = held.len();
        let data = self.limits.within(before, data);
        let scanned = if before == 0 {
            self.scan.scan(data)
        } else {
            held.extend_from_slice(data);
            self.scan.scan(&held)
        };
        let used = match scanned {
            Ok(end) => end.map_or(data.len(), |end| end - before),
            Err(flaw) => {
                self.flaw = self.too_large().or(Some(flaw));
                return data.len();
            }
        };
        self.wire_bytes += used as u64;
        if matches!(scanned, Ok(None)) {
            self.flaw = self.too_large();
            if before == 0 {
                held = data.to_vec();
            }
            self.partial = held;
            return used;
        }
        let head = if before == 0 { &data[..used] } else { &held[..before + used] };
        let special = Special::of(head, &self.scan);
        let too_large = self.too_large();
        if let Some(flaw) = special.unreadable(head, &self.scan) {
            self.flaw = too_large.or(Some(flaw));
            return used;
        }
        self.head_complete = true;
        match too_large.map_or_else(|| special.examine(head, &self.scan), Err) {
            Ok(facts) => self.begin_body(facts),
            Err(flaw) => self.flaw = Some(flaw),
        }
        headed(self, head);
        used
    }

    /// A bound that was passed goes before every flaw behind it: a head that was cut there would not have got further.
    fn too_large(&self) -> Option<Flaw> {
        let (scan, limits) = (&self.scan, &self.limits);
        if scan.target_bytes() > limits.uri {
            return Some(TOO_LONG);
        }
        let fields = scan.field_bytes > limits.header_bytes || scan.fields.len() > limits.header_count;
        (fields || self.wire_bytes > limits.head_wire).then_some(TOO_LARGE)
    }

    fn begin_body(&mut self, facts: Facts) {
        self.facts = facts;
        self.body = match facts.content_length {
            _ if facts.chunked => Body::Chunked(Box::new(Chunks::new(self.limits))),
            Some(length) if length > 0 => Body::Length(length),
            _ => Body::None,
        };
        self.complete = matches!(self.body, Body::None);
    }

    fn feed_body(&mut self, data: &[u8], content: &mut impl FnMut(&[u8])) -> usize {
        let mut at = 0;
        // The bounds are looked at where a run ends, wherever the data does.
        while at < data.len() && !self.complete && self.flaw.is_none() {
            at += self.feed_run(&data[at..], content);
        }
        if self.flaw.is_some() { data.len() } else { at }
    }

    /// A run of the body: content, or what frames it.
    fn feed_run(&mut self, data: &[u8], content: &mut impl FnMut(&[u8])) -> usize {
        let mut counted = |piece: &[u8]| {
            self.body_bytes += piece.len() as u64;
            content(piece);
        };
        let (used, ended) = match &mut self.body {
            Body::None => (0, Ok(true)),
            Body::Length(left) => {
                let used = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                counted(&data[..used]);
                *left -= used as u64;
                (used, Ok(*left == 0))
            }
            Body::Chunked(chunks) => chunks.take(data, &mut counted),
        };
        self.wire_bytes += used as u64;
        self.complete = ended == Ok(true);
        self.flaw = self.out_of_bounds().or(ended.err());
        used
    }

    fn out_of_bounds(&self) -> Option<Flaw> {
        if self.max_body.is_some_and(|most| self.body_bytes > most) {
            return Some(Flaw::new(Kind::BodyTooLarge, ""));
        }
        match &self.body {
            Body::Chunked(chunks) if !chunks.in_trailers() => {
                let most = CHUNK_OVERHEAD.saturating_mul(self.body_bytes).saturating_add(2 * self.limits.head_wire);
                (self.wire_bytes > most).then_some(OUT_OF_PROPORTION)
            }
            _ => None,
        }
    }

    /// Whether a request's target has begun to come.
    pub fn begun(&self) -> bool {
        self.head_complete || self.scan.target_bytes() > 0
    }
}

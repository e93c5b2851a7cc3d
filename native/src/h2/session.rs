//! One connection's protocol state, either role: what its owner does. What the peer does is `reading`.
//!
//! Sans-IO: bytes in by `receive`, bytes out by `take`. Owns the invariant that the peer never receives what HTTP/2 forbids us:
//! each method checks the stream's state before it writes. A stream that is gone is no error, its owner hears of it by an event.
//! Source: RFC 9113; what the methods promise is `edge.wire.session.H2Session`'s word.

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::glitches;
use super::grpc_frame::Framed;
use super::hash::NumberMap;
use super::header_frames::Headers;
use super::host::Budget;
use super::reset_streams::{ResetBy, ResetStreams};
use super::settings::{Ours, Theirs, UNLIMITED_BYTES};
use super::stream::Stream;
use super::unfinished_block::UnfinishedBlock;
use super::window::{self, Window};
use super::{frame, header_frames};

pub const LAST_STREAM: u32 = 0x7fff_ffff;
/// How many times the announced size a request's header list may have and still be decoded, to be answered with 431.
const LIST_GRACE: usize = 2;
/// Of one header block: five times what a request may have, for the crumbs of cookies, and to say 431 to what is over.
const MAX_FIELDS: usize = 512;
/// A DATA frame of less, cut so by the peer's window, earns nothing: a window may be opened an octet at a time (CVE-2019-9517).
const WORTHWHILE: usize = 1024;

/// The caller asked for what the stream's state forbids: a bug of ours, not the peer's.
#[derive(Debug, PartialEq, Eq)]
pub struct Misuse(pub &'static str);

/// Body bytes, wherever they are.
pub trait Body {
    fn size(&self) -> usize;
    fn append(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>);
}

impl Body for &[u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn append(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.get(range).unwrap_or_default());
    }
}

/// `F` is a header field and `L` a list of them as the host keeps them.
pub struct Session<F, L> {
    pub(super) is_client: bool,
    pub(super) ours: Ours,
    pub(super) theirs: Theirs,
    pub(super) streams: NumberMap<Stream>,
    pub(super) resets: ResetStreams,
    pub(super) decoder: Decoder<F, L>,
    pub(super) encoder: Encoder,
    pub(super) out: Vec<u8>,
    pub(super) window_out: i64,
    pub(super) window_in: Window,
    /// The greatest stream the peer opened.
    pub(super) highest_in: u32,
    /// New streams above it are refused.
    pub(super) last_accepted: u32,
    pub(super) closing: bool,
    pub(super) failed: bool,
    pub(super) preface_seen: usize,
    pub(super) pending: Vec<u8>,
    pub(super) unfinished: Option<UnfinishedBlock>,
    next_id: u32,
}

impl<F, L> Session<F, L> {
    pub fn new(is_client: bool, ours: Ours) -> Self {
        let grace = if is_client { 1 } else { LIST_GRACE };
        let mut window_in = Window::new(window::DEFAULT);
        let mut out = Vec::new();
        if is_client {
            out.extend_from_slice(frame::PREFACE);
        }
        frame::write(&mut out, frame::SETTINGS, 0, 0, &ours.payload(is_client));
        let more = i64::from(ours.connection_window) - window::DEFAULT;
        if let Ok(more @ 1..) = u32::try_from(more) {
            window_in.enlarge(i64::from(more));
            frame::write_number(&mut out, frame::WINDOW_UPDATE, 0, more);
        }
        Self {
            is_client,
            ours,
            theirs: Theirs::new(),
            streams: NumberMap::default(),
            resets: ResetStreams::default(),
            decoder: Decoder::new((ours.max_header_list as usize).saturating_mul(grace), MAX_FIELDS),
            encoder: Encoder::new(),
            out,
            window_out: window::DEFAULT,
            window_in,
            highest_in: 0,
            last_accepted: LAST_STREAM,
            closing: false,
            failed: false,
            preface_seen: if is_client { frame::PREFACE.len() } else { 0 },
            pending: Vec::new(),
            unfinished: None,
            next_id: 1,
        }
    }

    /// The greatest stream we opened.
    pub(super) fn highest_out(&self) -> u32 {
        self.next_id.saturating_sub(2)
    }

    pub fn can_open(&self) -> bool {
        self.is_client
            && !self.closing
            && self.next_id <= LAST_STREAM
            && (self.streams.len() as u64) < self.theirs.max_concurrent_streams
    }

    /// Whether the peer has said that it takes no header list of as many octets; they are counted only where it has.
    pub fn is_too_large(&self, list_bytes: impl FnOnce() -> usize) -> bool {
        self.theirs.max_header_list < UNLIMITED_BYTES && list_bytes() as u64 > self.theirs.max_header_list
    }

    /// Starts a stream; None when `can_open` is false.
    pub fn open(&mut self, headers: &mut impl Headers, end: bool, budget: &mut impl Budget) -> Option<u32> {
        if !self.can_open() {
            return None;
        }
        let id = self.next_id;
        self.next_id += 2;
        let mut stream = Stream::new(self.theirs.stream_window, i64::from(self.ours.stream_window));
        stream.head_out = true;
        stream.open_out = !end;
        stream.bodiless = headers.first_is(b":method", |method| method == b"HEAD");
        self.streams.insert(id, stream);
        header_frames::write(&mut self.out, &mut self.encoder, self.theirs.max_frame, id, headers, end);
        budget.earn(glitches::ANSWERED);
        Some(id)
    }

    /// Starts a stream with one gRPC message and the end behind its head: the stream, and how many octets of the framed message are
    /// left for want of window (the end with them). None when `can_open` is false.
    pub fn ask(
        &mut self,
        headers: &mut impl Headers,
        message: &Framed<'_>,
        budget: &mut impl Budget,
    ) -> Option<Result<(u32, usize), Misuse>> {
        let id = self.open(headers, false, budget)?;
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.unary = true;
        }
        Some(self.send_data(id, message, true, budget).map(|taken| (id, message.size() - taken)))
    }

    /// Sends a response head, interim or final, or trailers.
    pub fn send_headers(
        &mut self,
        id: u32,
        headers: &mut impl Headers,
        end: bool,
        budget: &mut impl Budget,
    ) -> Result<(), Misuse> {
        if self.failed {
            return Ok(());
        }
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let interim = !self.is_client && headers.first_is(b":status", |status| status.starts_with(b"1"));
        if !stream.open_out {
            return Err(Misuse("headers after the end of the stream"));
        }
        if interim && (end || stream.head_out) {
            return Err(Misuse("an interim head that ends the stream, or after the final one"));
        }
        if stream.head_out && !end {
            return Err(Misuse("trailers that do not end the stream"));
        }
        stream.head_out |= !interim;
        stream.open_out = !end;
        header_frames::write(&mut self.out, &mut self.encoder, self.theirs.max_frame, id, headers, end);
        if !interim {
            budget.earn(glitches::ANSWERED);
        }
        self.forget_if_over(id);
        Ok(())
    }

    /// Sends as much as both windows allow; the octets taken (all, when the stream is gone).
    pub fn send_data(
        &mut self,
        id: u32,
        data: &impl Body,
        end: bool,
        budget: &mut impl Budget,
    ) -> Result<usize, Misuse> {
        let size = data.size();
        if self.failed {
            return Ok(size);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(size) };
        let allowed = self.window_out.min(stream.window_out).max(0) as usize;
        let taken = size.min(allowed);
        let ends = end && taken == size;
        if taken == 0 && !ends {
            return Ok(0);
        }
        if !stream.open_out {
            return Err(Misuse("data after the end of the stream"));
        }
        stream.open_out = !ends;
        stream.window_out -= taken as i64;
        self.window_out -= taken as i64;
        let most = self.theirs.max_frame;
        self.out.reserve(taken + frame::HEAD_BYTES * (taken / most + 1));
        let mut start = 0;
        loop {
            let stop = (start + most).min(taken);
            let flags = if ends && stop == taken { frame::END_STREAM } else { 0 };
            frame::write_head(&mut self.out, stop - start, frame::DATA, flags, id);
            data.append(start..stop, &mut self.out);
            start = stop;
            if start == taken {
                break;
            }
        }
        if taken == size || taken >= WORTHWHILE {
            budget.earn(glitches::ANSWERED * (1 + (taken / most) as u32));
        }
        if ends {
            self.forget_if_over(id);
        }
        Ok(taken)
    }

    /// Streams that the peer has ended consumed `size` octets: only the connection's window is to be opened.
    pub fn acknowledge_all(&mut self, size: i64) {
        if !self.failed
            && size > 0
            && let Some(step) = self.window_in.consume(size)
        {
            frame::write_number(&mut self.out, frame::WINDOW_UPDATE, 0, step);
        }
    }

    /// The reader consumed `size` octets of a stream, or of one that is gone.
    pub fn acknowledge(&mut self, id: u32, size: i64) {
        if self.failed || size <= 0 {
            return;
        }
        self.acknowledge_all(size);
        if let Some(stream) = self.streams.get_mut(&id)
            && let Some(step) = stream.window_in.consume(size)
        {
            frame::write_number(&mut self.out, frame::WINDOW_UPDATE, id, step);
        }
    }

    pub fn reset(&mut self, id: u32, code: u32) {
        if !self.failed && self.streams.remove(&id).is_some() {
            self.resets.remember(id, ResetBy::Us);
            frame::write_number(&mut self.out, frame::RST_STREAM, id, code);
        }
    }

    pub fn ping(&mut self, payload: [u8; 8]) {
        if !self.failed {
            frame::write(&mut self.out, frame::PING, 0, 0, &payload);
        }
    }

    /// GOAWAY; a second one may only lower the last stream (RFC 9113 section 6.8).
    pub fn go_away(&mut self, code: u32, last_stream: Option<u32>) {
        if self.failed {
            return;
        }
        self.last_accepted = self.last_accepted.min(last_stream.unwrap_or(self.highest_in));
        self.closing = true;
        self.write_go_away(self.last_accepted, code);
    }

    pub(super) fn write_go_away(&mut self, last_stream: u32, code: u32) {
        frame::write_head(&mut self.out, 8, frame::GOAWAY, 0, 0);
        self.out.extend_from_slice(&last_stream.to_be_bytes());
        self.out.extend_from_slice(&code.to_be_bytes());
    }

    /// What to write to the socket, for as long as the call lasts.
    pub fn take<R>(&mut self, write: impl FnOnce(&[u8]) -> R) -> R {
        let result = write(&self.out);
        self.out.clear();
        self.out.shrink_to(KEPT);
        result
    }

    pub(super) fn forget_if_over(&mut self, id: u32) {
        if self.streams.get(&id).is_some_and(Stream::is_over) {
            self.streams.remove(&id);
        }
    }

    /// Streams open, and reset ones remembered: what a connection holds, for whoever watches it.
    pub fn held(&self) -> (usize, usize) {
        (self.streams.len(), self.resets.len())
    }
}

/// Octets of any buffer a connection keeps for the next time; most need no more, and thousands of idle connections cost no more.
pub(super) const KEPT: usize = 4096;

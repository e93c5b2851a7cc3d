//! What the peer says on streams: header blocks and body bytes become a message, or break their stream (RFC 9113 section 8.1).
//!
//! Owns where a malformed message is found out (section 8.1.1), and that what nobody will read is given back to the connection's
//! window.

use super::code::{Failure, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED};
use super::endings::charge;
use super::frame::{self, Head};
use super::glitches;
use super::host::{Event, Host};
use super::reset_streams::ResetBy;
use super::session::Session;
use super::stream::Stream;
use super::unfinished_block::UnfinishedBlock;

impl<F, L> Session<F, L> {
    pub(super) fn block_begun<H: Host<Field = F, List = L>>(
        &mut self,
        head: Head,
        payload: &[u8],
        host: &mut H,
    ) -> Result<(), Failure> {
        let is_push = head.kind == frame::PUSH_PROMISE;
        let (fragment, depends_on) = if is_push { (payload, None) } else { frame::headers_fragment(head, payload)? };
        if head.has(frame::END_HEADERS) {
            return self.block(head, depends_on, fragment, host);
        }
        let mut block = UnfinishedBlock::new(head, depends_on);
        block.add(head.size, fragment, self.ours.max_header_list as usize)?;
        self.unfinished = Some(block);
        Ok(())
    }

    pub(super) fn block<H: Host<Field = F, List = L>>(
        &mut self,
        head: Head,
        depends_on: Option<u32>,
        block: &[u8],
        host: &mut H,
    ) -> Result<(), Failure> {
        if head.kind == frame::PUSH_PROMISE {
            return Err(Failure::protocol("a pushed stream")); // a client of ours forbids it, a client of others cannot
        }
        // Before anything else: a block that is skipped would be missing in the compression state.
        let (headers, facts) = self.decoder.decode(block, host)?;
        let cost = glitches::fields_cost(facts.fields);
        if cost > 0 {
            charge(host, cost)?;
        }
        let (id, end) = (head.stream, head.has(frame::END_STREAM));
        if !self.streams.contains_key(&id) && !self.admit(id, host)? {
            return Ok(());
        }
        let is_client = self.is_client;
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        if depends_on == Some(id) {
            return self.break_stream(id, host);
        }
        if facts.interim {
            stream.interims = stream.interims.saturating_add(1);
            let few = stream.interims <= glitches::MAX_INTERIMS;
            let fits = few && is_client && stream.open_in && !stream.head_in && !end;
            if !fits || !stream.announce(&facts) || !facts.is_response() {
                return self.break_stream(id, host);
            }
            host.event(Event::Headers { stream: id, headers, end: false, interim: true, unary: false });
            return Ok(());
        }
        if !stream.open_in {
            return self.closed_stream(id, host);
        }
        let is_trailers = stream.head_in;
        let announced = stream.announced;
        let well_formed = match (is_trailers, is_client) {
            (true, _) => end && facts.is_trailers(),
            (false, true) => facts.is_response(),
            (false, false) => facts.is_request(self.ours.connect_protocol),
        };
        let known_length = stream.announce(&facts);
        let expected = if is_trailers { announced } else { stream.announced };
        let complete = is_client || !end || expected.is_none_or(|expected| expected == stream.received);
        if !(well_formed && known_length && complete) {
            return self.break_stream(id, host);
        }
        stream.head_in = true;
        stream.open_in = !end;
        let (is_over, unary) = (stream.is_over(), stream.unary);
        host.event(if is_trailers {
            Event::Trailers { stream: id, headers }
        } else {
            Event::Headers { stream: id, headers, end, interim: false, unary }
        });
        if is_over {
            self.streams.remove(&id);
        }
        Ok(())
    }

    /// A header block on a stream we do not hold: whether it begins one.
    fn admit<H: Host<Field = F, List = L>>(&mut self, id: u32, host: &mut H) -> Result<bool, Failure> {
        let is_ours = self.is_client == (id % 2 == 1);
        if is_ours || self.is_client {
            return if self.is_idle(id) {
                Err(Failure::protocol("a stream the peer may not open"))
            } else {
                self.late(id, PROTOCOL_ERROR, host).map(|()| false)
            };
        }
        if id <= self.highest_in {
            return self.late(id, PROTOCOL_ERROR, host).map(|()| false);
        }
        self.highest_in = id;
        if self.streams.len() >= self.ours.max_concurrent_streams as usize || id > self.last_accepted {
            self.resets.remember(id, ResetBy::Us);
            charge(host, glitches::REFUSED)?;
            frame::write_number(&mut self.out, frame::RST_STREAM, id, REFUSED_STREAM);
            return Ok(false);
        }
        let stream = Stream::new(self.theirs.stream_window, i64::from(self.ours.stream_window));
        self.streams.insert(id, stream);
        Ok(true)
    }

    pub(super) fn data<H: Host<Field = F, List = L>>(
        &mut self,
        head: Head,
        payload: &[u8],
        host: &mut H,
    ) -> Result<(), Failure> {
        let (id, size) = (head.stream, payload.len());
        let data = frame::data_bytes(head, payload)?;
        let end = head.has(frame::END_STREAM);
        self.window_in.take(size)?;
        let Some(stream) = self.streams.get_mut(&id) else {
            if self.is_idle(id) {
                return Err(Failure::protocol("DATA on a stream that was never opened"));
            }
            self.late(id, STREAM_CLOSED, host)?;
            self.credit(size);
            return Ok(());
        };
        if !stream.open_in {
            self.closed_stream(id, host)?;
            self.credit(size);
            return Ok(());
        }
        if stream.head_in {
            stream.window_in.take(size)?;
        }
        if !stream.head_in || !stream.count(data.len(), end) {
            self.break_stream(id, host)?;
            self.credit(size);
            return Ok(());
        }
        stream.open_in = !end;
        let is_over = stream.is_over();
        host.event(Event::Data { stream: id, data, flow_bytes: size, end });
        if is_over {
            self.streams.remove(&id);
        }
        Ok(())
    }

    /// Gives the connection's window back what nobody will read.
    fn credit(&mut self, size: usize) {
        if let Some(step) = self.window_in.consume(size as i64) {
            frame::write_number(&mut self.out, frame::WINDOW_UPDATE, 0, step);
        }
    }
}

//! What the peer does to a connection, frame by frame (RFC 9113 sections 5 and 6).
//!
//! Owns the order: a frame is refused by its head when it is too large, charged, found well-formed, and only then looked at; nothing is
//! read after a connection error, and `Failed` is the last event. What happens on streams is in `messages` and `endings`.

use super::code::{FLOW_CONTROL_ERROR, Failure};
use super::frame::{self, Head};
use super::glitches;
use super::host::{Event, Host};
use super::session::{KEPT, Session};
use super::window;

impl<F, L> Session<F, L> {
    /// Reads what the socket gave; the events it completes go to the host in order.
    pub fn receive<H: Host<Field = F, List = L>>(&mut self, data: &[u8], host: &mut H) {
        if self.failed {
            return;
        }
        if let Err(Failure { code, reason }) = self.read(data, host) {
            self.failed = true;
            self.closing = true;
            self.pending = Vec::new();
            self.unfinished = None;
            self.write_go_away(self.highest_in, code);
            host.event(Event::Failed { code, reason });
        }
    }

    fn read<H: Host<Field = F, List = L>>(&mut self, data: &[u8], host: &mut H) -> Result<(), Failure> {
        let data = self.preface(data)?;
        if self.pending.is_empty() {
            let used = self.frames(data, host)?;
            self.pending.extend_from_slice(data.get(used..).unwrap_or_default());
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(data);
        let used = self.frames(&pending, host)?;
        pending.drain(..used);
        pending.shrink_to(KEPT);
        self.pending = pending;
        Ok(())
    }

    /// A client's first octets (section 3.4), and what follows them.
    fn preface<'d>(&mut self, data: &'d [u8]) -> Result<&'d [u8], Failure> {
        let expected = frame::PREFACE.get(self.preface_seen..).unwrap_or_default();
        let size = expected.len().min(data.len());
        let (given, rest) = data.split_at(size);
        if given != &expected[..size] {
            return Err(Failure::protocol("no HTTP/2 preface"));
        }
        self.preface_seen += size;
        Ok(rest)
    }

    /// Reads whole frames; the octets they took.
    fn frames<H: Host<Field = F, List = L>>(&mut self, data: &[u8], host: &mut H) -> Result<usize, Failure> {
        let mut rest = data;
        while let Some(head) = Head::read(rest) {
            if head.size > self.ours.max_frame as usize {
                let http1 = rest.starts_with(b"HTTP/1");
                return Err(Failure::size(if http1 { "an HTTP/1 message" } else { "a frame larger than announced" }));
            }
            let Some((whole, after)) = rest.split_at_checked(frame::HEAD_BYTES + head.size) else { break };
            let payload = &whole[frame::HEAD_BYTES..];
            let cost = glitches::frame_cost(head, payload.first().copied().unwrap_or(0));
            if cost > 0 && host.charge(cost) {
                return Err(Failure::calm("too many frames that do no work"));
            }
            frame::check(head, payload)?;
            self.frame(head, payload, host)?;
            rest = after;
        }
        Ok(data.len() - rest.len())
    }

    fn frame<H: Host<Field = F, List = L>>(&mut self, head: Head, payload: &[u8], host: &mut H) -> Result<(), Failure> {
        if let Some(block) = &mut self.unfinished {
            if head.kind != frame::CONTINUATION || head.stream != block.head.stream {
                return Err(Failure::protocol("a frame inside a header block"));
            }
            if !head.has(frame::END_HEADERS) {
                return block.add(head.size, payload, self.ours.max_header_list as usize);
            }
            if let Some(mut block) = self.unfinished.take() {
                block.fragments.extend_from_slice(payload);
                return self.block(block.head, block.depends_on, &block.fragments, host);
            }
        }
        match head.kind {
            frame::DATA => self.data(head, payload, host),
            frame::HEADERS | frame::PUSH_PROMISE => self.block_begun(head, payload, host),
            frame::PRIORITY if frame::dependency(payload)? == head.stream => {
                Err(Failure::protocol("a stream that depends on itself"))
            }
            frame::RST_STREAM => self.reset_received(head.stream, frame::number(payload)?, host),
            frame::SETTINGS => self.settings(head, payload, host),
            frame::PING => self.ping_received(head, payload, host),
            frame::GOAWAY => {
                self.closing = true;
                let (last_stream, rest) =
                    (frame::unreserved(frame::number(payload)?), payload.get(4..).unwrap_or_default());
                host.event(Event::GoAway {
                    last_stream,
                    code: frame::number(rest)?,
                    debug: rest.get(4..).unwrap_or_default(),
                });
                Ok(())
            }
            frame::WINDOW_UPDATE => self.window_opened(head.stream, frame::unreserved(frame::number(payload)?), host),
            frame::CONTINUATION => Err(Failure::protocol("a CONTINUATION of nothing")),
            _ => Ok(()), // PRIORITY, and what we do not know (section 5.5)
        }
    }

    fn settings<H: Host<Field = F, List = L>>(
        &mut self,
        head: Head,
        payload: &[u8],
        host: &mut H,
    ) -> Result<(), Failure> {
        if head.has(frame::ACK) {
            return Ok(());
        }
        let changes = self.theirs.apply(payload, self.is_client)?;
        if let Some(by) = changes.window_by.filter(|by| *by != 0) {
            for stream in self.streams.values_mut() {
                stream.window_out = window::grown(stream.window_out, by)?;
            }
        }
        if let Some(limit) = changes.header_table {
            self.encoder.set_limit(limit as usize);
        }
        frame::write_head(&mut self.out, 0, frame::SETTINGS, frame::ACK, 0);
        host.event(Event::Settings {
            max_concurrent_streams: self.theirs.max_concurrent_streams,
            max_header_list_bytes: self.theirs.max_header_list,
        });
        if changes.window_by.is_some() {
            host.event(Event::WindowOpened { stream: 0 });
        }
        Ok(())
    }

    fn ping_received<H: Host<Field = F, List = L>>(
        &mut self,
        head: Head,
        payload: &[u8],
        host: &mut H,
    ) -> Result<(), Failure> {
        if head.has(frame::ACK) {
            host.event(Event::PingAcknowledged { payload });
        } else {
            frame::write(&mut self.out, frame::PING, frame::ACK, 0, payload);
        }
        Ok(())
    }

    fn window_opened<H: Host<Field = F, List = L>>(&mut self, id: u32, by: u32, host: &mut H) -> Result<(), Failure> {
        if id == 0 {
            self.window_out = window::grown(self.window_out, i64::from(by))?;
        } else if let Some(stream) = self.streams.get_mut(&id) {
            match window::grown(stream.window_out, i64::from(by)) {
                Ok(grown) => stream.window_out = grown,
                Err(_) => return self.reset_for(id, FLOW_CONTROL_ERROR, host),
            }
        } else if self.is_idle(id) {
            return Err(Failure::protocol("WINDOW_UPDATE on a stream that was never opened"));
        } else {
            return Ok(());
        }
        host.event(Event::WindowOpened { stream: id });
        Ok(())
    }
}

//! Streams that end before their time, and frames for those that have ended (RFC 9113 sections 5.1 and 5.4.2).
//!
//! Owns the judgement on a late frame: after our reset it may have been under way and is dropped; after the peer's own, or on a
//! stream the peer had ended, it is a stream error; after a regular end it is, from a client, a connection error.

use super::code::{Failure, PROTOCOL_ERROR, STREAM_CLOSED};
use super::frame;
use super::glitches;
use super::host::{Event, Host};
use super::reset_streams::ResetBy;
use super::session::Session;

impl<F, L> Session<F, L> {
    pub(super) fn is_idle(&self, id: u32) -> bool {
        let is_ours = self.is_client == (id % 2 == 1);
        id > if is_ours { self.highest_out() } else { self.highest_in }
    }

    /// A frame for a stream that is over. `code` is the connection error where it cannot have crossed with the end.
    pub(super) fn late<H: Host<Field = F, List = L>>(
        &mut self,
        id: u32,
        code: u32,
        host: &mut H,
    ) -> Result<(), Failure> {
        match self.resets.by(id) {
            Some(ResetBy::Us) => return charge(host, glitches::LATE_FRAME),
            None if !self.is_client => return Err(Failure::new(code, "a frame on a stream that has ended")),
            _ => {} // from a service it costs no other call
        }
        charge(host, glitches::RESET)?;
        frame::write_number(&mut self.out, frame::RST_STREAM, id, STREAM_CLOSED);
        Ok(())
    }

    /// A frame on a stream the peer had ended.
    pub(super) fn closed_stream<H: Host<Field = F, List = L>>(&mut self, id: u32, host: &mut H) -> Result<(), Failure> {
        self.reset_for(id, STREAM_CLOSED, host)
    }

    /// A message that is malformed.
    pub(super) fn break_stream<H: Host<Field = F, List = L>>(&mut self, id: u32, host: &mut H) -> Result<(), Failure> {
        self.reset_for(id, PROTOCOL_ERROR, host)
    }

    pub(super) fn reset_for<H: Host<Field = F, List = L>>(
        &mut self,
        id: u32,
        code: u32,
        host: &mut H,
    ) -> Result<(), Failure> {
        charge(host, glitches::RESET)?;
        self.streams.remove(&id);
        self.resets.remember(id, ResetBy::Us);
        frame::write_number(&mut self.out, frame::RST_STREAM, id, code);
        host.event(Event::Reset { stream: id, code, by_peer: false });
        Ok(())
    }

    pub(super) fn reset_received<H: Host<Field = F, List = L>>(
        &mut self,
        id: u32,
        code: u32,
        host: &mut H,
    ) -> Result<(), Failure> {
        let stream = self.streams.get(&id);
        if stream.is_none() && self.is_idle(id) {
            return Err(Failure::protocol("RST_STREAM on a stream that was never opened"));
        }
        let answered = stream.is_none_or(|stream| !stream.open_out && stream.open_in);
        charge(host, if answered { glitches::LATE_FRAME } else { glitches::RESET })?;
        if self.streams.remove(&id).is_some() {
            self.resets.remember(id, ResetBy::Peer);
            host.event(Event::Reset { stream: id, code, by_peer: true });
        }
        Ok(())
    }
}

/// Misbehaviour is paid for before work is done for it.
pub(super) fn charge(host: &mut impl Host, points: u32) -> Result<(), Failure> {
    if host.charge(points) {
        return Err(Failure::calm("too many streams that were reset or refused"));
    }
    Ok(())
}

"""
One HTTP/2 connection: bytes in, streams to the Service, answers out.

Owns the socket's life and what streams share: the order in which they send, the connection's end, and its budget of misbehaviour,
charged before work is done. Writes are gathered and go out once per turn of the loop. While the client does not read, no stream
sends: each holds at most one answer, or one piece of it. A drain announces itself (GOAWAY with the last possible stream), waits
one round trip, then names the last stream it serves: no call is lost. No task outlives the connection's entry in Connections.
Source: RFC 9113 (5.4, 6.8, 9.1), reliability.md A1 to A6 and 7.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import structlog

from edge.core import glitches
from edge.core.glitches import GlitchBudget
from edge.core.suspects import Suspects
from edge.ingress.connections import Admission, Connections, peer_address
from edge.ingress.containment import refused
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2_head import Origin
from edge.ingress.http2_inlet import Inlet
from edge.ingress.http2_limits import (
    DRAIN_NOTICE_S,
    KEEPALIVE_S,
    KEEPALIVE_TIMEOUT_S,
    MAX_STREAMS,
    TICK_S,
)
from edge.ingress.http2_outlet import Outlet
from edge.ingress.http2_sieve import Sieve
from edge.ingress.http2_stream import Http2Stream
from edge.ingress.lazy_timer import LazyTimer
from edge.ingress.service import Service
from edge.outcome import Fault, Refusal
from edge.wire.session import (
    ENHANCE_YOUR_CALM,
    REFUSED_STREAM,
    ConnectionFailed,
    DataReceived,
    GoAwayReceived,
    H2Event,
    H2Session,
    HeadersReceived,
    PingAcknowledged,
    SettingsReceived,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)

_log = structlog.get_logger("edge.http2")

MakeSession = Callable[[Http1Limits, GlitchBudget], H2Session]
"""Makes the server's side of one connection; what it charges to the budget is the engine's to see."""

_LAST_STREAM = 2**31 - 1
_DRAIN_PING, _KEEPALIVE_PING = b"edge-dr\0", b"edge-ka\0"
_LONG_LIVED_S = 1.0
"""Cancelling a stream of this age is normal use (Envoy's premature_reset_min_stream_lifetime)."""


class Http2Connection(asyncio.Protocol):
    """The protocol handler of one downstream connection; `http2_stream.Carrier` to its streams."""

    def __init__(
        self,
        service: Service,
        limits: Http1Limits,
        connections: Connections,
        loop: asyncio.AbstractEventLoop,
        make_session: MakeSession,
    ) -> None:
        self.service = service
        self.limits = limits
        self.loop = loop
        self.origin = Origin("", secure=False)
        self.gathered_bytes = 0
        self._connections = connections
        self._budget = GlitchBudget(loop.time())
        self.session = make_session(limits, self._budget)
        self._transport: asyncio.Transport
        self._inlet: Inlet
        self._outlet: Outlet
        self._sieve = Sieve()
        self._timer = LazyTimer(loop, self._expired)
        self._streams: dict[int, Http2Stream] = {}
        self._started = False  # the client's preface has come
        self._retiring = False  # no new stream is served
        self._closing = False  # nothing is read any more
        self._lost = False
        self._suspect = False  # its misbehaviour is on record
        self._heard = self._idle_since = loop.time()
        self._write_until = 0.0
        self._pinged_at: float | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot, or tell the client that there is none."""
        admission = self._connections.add(self)
        self._attach(transport)
        if admission is Admission.SERVE:
            self._greet()
        elif admission is Admission.REFUSE:
            refused(self.service, None, Refusal(Fault.OVERLOADED, "too many connections", retry_after_s=1.0))
            self.session.go_away(last_stream=0)
            self._close()
        else:
            self._closing = True
            self._transport.abort()

    def take_over(self, transport: asyncio.BaseTransport) -> None:
        """A connection that has its slot already turned out to speak HTTP/2."""
        self._attach(transport)
        self._greet()

    def _attach(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._outlet = Outlet(self.session, self._transport, self.loop, self._turned)
        self._inlet = Inlet(self._read, self._outlet.take_turn, self._transport, self.loop)
        secure = transport.get_extra_info("sslcontext") is not None
        self.origin = Origin(peer_address(transport), secure)
        self._meet(self._connections.suspects)

    def _meet(self, suspects: Suspects) -> None:
        """What the client's address has earned by now."""
        self._budget.lower(suspects.limit(self.origin.peer, self._heard))
        rest_s = suspects.rest_s(self.origin.peer, self._heard)
        if rest_s:
            self._inlet.rest(rest_s)

    def _greet(self) -> None:
        self._outlet.flush()
        self._timer.at(self._heard + self.limits.header_timeout_s)
        if self._connections.draining:
            self.drain()

    def data_received(self, data: bytes) -> None:
        """Read, as far as the client's budget goes."""
        if not self._closing:
            self._inlet.take(data)

    def _read(self, data: bytes) -> float:
        """Act on a piece of what came; the points it cost the client."""
        self._heard = now = self.loop.time()
        self._budget.advance(now)
        level = self._budget.level
        for event in self._sieve.sift(self.session.receive(data), more=self._inlet.busy):
            _HANDLERS[event.__class__](self, event)
        if self._budget.exhausted and not self._closing:
            self._on_failure(ConnectionFailed(ENHANCE_YOUR_CALM, "too many requests that could not be served"))
        elif self._budget.strained:
            self._note_misbehaviour()
            self._last_call()
        return self._budget.level - level

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: every stream learns it now."""
        self._closing = self._lost = True
        self._timer.close()
        self._inlet.close()
        self._outlet.close()
        for stream in tuple(self._streams.values()):
            stream.reset_received()
        if not self._streams:  # else the end of the last task takes this connection off the list
            self._connections.discard(self)

    def pause_writing(self) -> None:
        """The client is slower than we are."""
        self._outlet.paused = True
        self._mark_writes()

    def resume_writing(self) -> None:
        """It caught up."""
        self._outlet.paused = False
        self._outlet.take_turn()

    # What the listener calls.

    def drain(self) -> None:
        """Announce the end, and name the last stream one round trip later."""
        if self._retiring or self._closing:
            return
        self.session.go_away(last_stream=_LAST_STREAM)
        self.session.ping(_DRAIN_PING)
        self._outlet.flush()
        self.loop.call_later(DRAIN_NOTICE_S, self._last_call)

    def cut(self) -> None:
        """Close now, whatever runs; connection_lost does the rest."""
        self._transport.abort()

    # What streams call.

    def ready(self, stream: Http2Stream) -> None:
        """Send now, or in the stream's turn."""
        self._outlet.ready(stream)

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop."""
        self._outlet.flush_soon()

    def charge(self, points: int) -> None:
        """The client misbehaved; the session ends the connection at the next charge of its own, if this was too much."""
        self._budget.charge(points)

    def hold(self, size: int) -> None:
        """Answers wait for the client; where there are too many, somebody's are given up."""
        now, backlog = self.loop.time(), self._connections.backlog
        backlog.change(self, size, now)
        if size > 0 and (heaviest := backlog.heaviest(now)) is not None:
            self.loop.call_soon(heaviest.shed)  # not from within what a stream is doing

    def shed(self) -> None:
        """Too much waits in this process, most of it here: the client loses it, and its patience with us is at stake."""
        shed = sum(stream.shed() for stream in tuple(self._streams.values()))
        self._budget.charge(shed * glitches.RESET)
        if self._budget.exhausted and not self._closing:
            self._on_failure(ConnectionFailed(ENHANCE_YOUR_CALM, "too many answers that were not read"))

    def watch(self) -> None:
        """Somebody waits for the client: look again soon."""
        self._timer.by(self.loop.time() + min(TICK_S, self.limits.body_timeout_s, self.limits.write_timeout_s))

    def release(self, stream: Http2Stream) -> None:
        """Nothing of the stream is left."""
        self._streams.pop(stream.id, None)
        self._outlet.forget(stream)
        if self._streams:
            return
        if self._lost:
            self._connections.discard(self)
        elif self._closing:
            return  # the reader's time is running
        elif self._retiring:
            self.flush_soon()  # what is still to be written comes first: the turn closes
        else:
            self._idle_since = self.loop.time()
            self._timer.at(self._idle_since + self.limits.idle_timeout_s)

    # Ending.

    def _turned(self) -> None:
        """All that could be sent was."""
        if self._retiring and not self._streams and not self._closing and not self._inlet.busy:
            self._close()

    def _last_call(self) -> None:
        """Serve no new stream; close when those that run have ended."""
        if self._retiring or self._closing:
            return
        self._retiring = True
        self.session.go_away()
        self.flush_soon()

    def _close(self) -> None:
        """Close once what is written has left, or its reader has had its time."""
        self._closing = True
        self._inlet.clear()
        self._outlet.clear()
        self._outlet.flush()
        self._mark_writes()
        self._transport.close()

    def _note_misbehaviour(self, reason: str = "three quarters of the budget of misbehaviour are spent") -> None:
        """Once for each connection; logged ever more seldom, or an attacker would fill the log."""
        if self._suspect:
            return
        self._suspect = True
        count = self._connections.suspects.offended(self.origin.peer, self._heard)
        if count & (count - 1) == 0:
            _log.warning(
                "a client's connection is ended for misbehaviour", peer=self.origin.peer, reason=reason, count=count
            )

    # Time.

    def _mark_writes(self) -> None:
        """The reader has its time from now on."""
        self._outlet.watch()
        self._write_until = self.loop.time() + self.limits.write_timeout_s
        self._timer.at(self._write_until)

    def _expired(self) -> None:
        """Something may be due: see what, and when to look again."""
        now = self.loop.time()
        stuck = self._closing or self._outlet.paused
        if stuck and now >= self._write_until:
            if self._outlet.stalled():
                self._transport.abort()
                return
            self._mark_writes()
        if not stuck:
            for stream in tuple(self._streams.values()):
                stream.expire(now)
        if self._streams:
            self._check_alive(now)
        elif now >= self._idle_until:
            self._last_call()
        if not self._lost:
            self._schedule(now, stuck=stuck)

    @property
    def _idle_until(self) -> float:
        limits = self.limits
        return self._idle_since + (limits.idle_timeout_s if self._started else limits.header_timeout_s)

    def _schedule(self, now: float, *, stuck: bool) -> None:
        due = now + KEEPALIVE_TIMEOUT_S if self._streams else max(self._idle_until, now + TICK_S)
        if stuck:
            due = min(due, self._write_until)
        self._timer.at(due)
        if any(stream.watched for stream in self._streams.values()):
            self.watch()

    def _check_alive(self, now: float) -> None:
        """Ping a client that waits in silence; one that does not answer is gone."""
        if self._heard + KEEPALIVE_S > now or self._outlet.paused:
            self._pinged_at = None
        elif self._pinged_at is None:
            self._pinged_at = now
            self.session.ping(_KEEPALIVE_PING)
            self.flush_soon()
        elif self._pinged_at + KEEPALIVE_TIMEOUT_S <= now:
            self._transport.abort()

    # Events.

    def _on_headers(self, event: HeadersReceived) -> None:
        if len(self._streams) >= MAX_STREAMS:  # streams the client has reset count until their calls are over
            self._budget.charge(glitches.REFUSED)
            self.session.reset(event.stream, REFUSED_STREAM)
            return
        stream = self._streams[event.stream] = Http2Stream(self, event.stream, self._heard)
        stream.begin(event.headers, end=event.end)

    def _on_data(self, event: DataReceived) -> None:
        stream = self._streams.get(event.stream)
        if stream is None:
            self.session.acknowledge(event.stream, event.flow_bytes)  # nobody will read it: only the window is owed
        else:
            stream.data_received(event.data, event.flow_bytes, end=event.end)

    def _on_trailers(self, event: TrailersReceived) -> None:
        stream = self._streams.get(event.stream)
        if stream is not None:
            stream.body_ended()

    def _on_reset(self, event: StreamReset) -> None:
        stream = self._streams.get(event.stream)
        if stream is None:
            return
        if event.by_peer and self._heard - stream.started >= _LONG_LIVED_S:
            self._budget.earn(glitches.RESET)
        stream.reset_received()

    def _on_window(self, event: WindowOpened) -> None:
        opened = self._streams.values() if event.stream == 0 else (self._streams.get(event.stream),)
        for stream in opened:
            if stream is not None and stream.pending:
                self._outlet.queue(stream)

    def _on_settings(self, event: SettingsReceived) -> None:
        if not self._started:
            self._started = True
            self._timer.at(self._heard + self.limits.idle_timeout_s)

    def _on_go_away(self, event: GoAwayReceived) -> None:
        self._last_call()  # it opens no more streams; those it has are served

    def _on_ping_answered(self, event: PingAcknowledged) -> None:
        if event.payload == _DRAIN_PING:
            self._last_call()

    def _on_failure(self, event: ConnectionFailed) -> None:
        if event.code == ENHANCE_YOUR_CALM:
            self._note_misbehaviour(event.reason)
            self.session.go_away(ENHANCE_YOUR_CALM)  # where the session has not said so itself
        self._close()
        for stream in tuple(self._streams.values()):
            stream.reset_received()


_HANDLERS: dict[type[H2Event], Callable[[Http2Connection, Any], None]] = {
    HeadersReceived: Http2Connection._on_headers,
    DataReceived: Http2Connection._on_data,
    TrailersReceived: Http2Connection._on_trailers,
    StreamReset: Http2Connection._on_reset,
    WindowOpened: Http2Connection._on_window,
    SettingsReceived: Http2Connection._on_settings,
    GoAwayReceived: Http2Connection._on_go_away,
    PingAcknowledged: Http2Connection._on_ping_answered,
    ConnectionFailed: Http2Connection._on_failure,
}

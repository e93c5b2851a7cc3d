"""
One connection to an upstream: an HTTP/2 session with a socket, and the streams on it.

Owns the socket's life. Writes are gathered and go out once per turn of the loop; `heartbeat` says when to ping and when an idle
connection ends. Nothing raises out of a callback: each way to end tells every stream whether its request may have reached the
service.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from edge.core.grpc_frame import encode_frame
from edge.outcome import Fault, Refusal
from edge.upstream.call import Header
from edge.upstream.deadlines import Deadlines
from edge.upstream.heartbeat import Heartbeat, Timing
from edge.upstream.stream import Stream, Unprocessed
from edge.wire.session import (
    ENHANCE_YOUR_CALM,
    NO_ERROR,
    AnswerReceived,
    ConnectionFailed,
    DataReceived,
    GoAwayReceived,
    H2Event,
    H2Session,
    HeadersReceived,
    HeadersTooLarge,
    MalformedHeaders,
    PingAcknowledged,
    SettingsReceived,
    StreamReset,
    StreamsExhausted,
    TrailersReceived,
    WindowOpened,
)


class Owner(Protocol):
    """Who is told of a connection's changes."""

    def capacity_changed(self) -> None:
        """A stream ended or the peer allows more: a waiting call may go."""

    def retired(self, connection: Connection) -> None:
        """The connection takes no new calls (GOAWAY, idle, out of ids); those on it go on."""

    def closed(self, connection: Connection, reason: str) -> None:
        """The connection is gone."""

    def pinged_too_often(self) -> None:
        """The peer ended the connection for our pings."""


class Connection(asyncio.Protocol):
    """A protocol for `loop.create_connection`; `ready` resolves to None at the first SETTINGS, or to why there was none."""

    def __init__(
        self,
        address: str,
        session: H2Session,
        timing: Timing,
        owner: Owner,
        check: Callable[[asyncio.BaseTransport], str | None],
    ) -> None:
        self.address = address
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._owner = owner
        self._check = check
        self._transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[str | None] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.streams: dict[int, Stream] = {}
        self._deadlines = Deadlines(self._loop, self.streams)
        self._blocked: dict[int, Stream] = {}
        self.reserved = 0
        self.max_streams = 0
        self.accepting = False
        self._paused = False
        self._flush_due = False
        self.writes = 0
        self._reason = ""
        self._heartbeat = Heartbeat(self._loop, timing, self)

    # As core.pool_decision sees it.

    @property
    def active(self) -> int:
        """Streams in use or promised."""
        return len(self.streams) + self.reserved

    @property
    def free(self) -> int:
        """Streams the peer allows beyond those."""
        return self.max_streams - len(self.streams) - self.reserved if self.accepting else 0

    @property
    def awaiting(self) -> bool:
        """Whether calls wait for the service."""
        return bool(self.streams)

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session; None in plaintext, and when the connection is gone."""
        if self._transport is None:
            return None
        session: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return session

    # The socket.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look at the peer's certificate before the first byte, then send the preface."""
        self._transport = cast(asyncio.Transport, transport)
        fault = self._fault(transport)
        if fault is not None:
            self.abort(fault)
            return
        self._flush()
        self._heartbeat.start()

    def _fault(self, transport: asyncio.BaseTransport) -> str | None:
        try:
            return self._check(transport)
        except Exception as error:  # noqa: BLE001  # the loop would only log it and go on: to an unverified peer
            return f"the service's identity could not be checked: {error!r}"

    def connection_lost(self, exc: Exception | None) -> None:
        """Every stream learns that there is no more; its request may have been read if it was written."""
        reason = self._reason or (f"the connection broke: {exc}" if exc else "the service closed the connection")
        self._retire()
        self._heartbeat.stop()
        self._transport = None
        self._deadlines.close()
        for stream in tuple(self.streams.values()):
            stream.lost(reason, unprocessed=not self.has_written(stream))
        self._never_ready(reason)
        if not self.gone.done():
            self.gone.set_result(None)
        self._owner.closed(self, reason)

    def pause_writing(self) -> None:
        """The socket is behind: streams keep what they have."""
        self._paused = True

    def resume_writing(self) -> None:
        """The socket caught up."""
        self._paused = False
        self._push_blocked()

    def data_received(self, data: bytes) -> None:
        """Feed the session, hand its events on, write what that brought."""
        self._heartbeat.heard()
        if not self._flush_due:
            self._schedule_flush()
        streams = self.streams
        for event in self._session.receive_answers(data):
            if isinstance(event, AnswerReceived):  # nearly all that comes, and no step more than it needs
                stream = streams.get(event.stream)
                if stream is not None:  # else nobody waits for it any more
                    stream.answer_received(event)
            else:
                _HANDLERS[event.__class__](self, event)

    def _schedule_flush(self) -> None:
        """Write at the end of this turn of the loop; whatever is sent until then goes out with it."""
        self._flush_due = True
        self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._transport is None:
            return
        data = self._session.take()
        if data:
            self.writes += 1
            self._transport.write(data)

    # Calls.

    def start(self, stream: Stream, headers: Sequence[Header], message: bytes | None) -> None:
        """Open a stream with its head and, of a unary call, its message. The caller has made sure that `free` was positive."""
        stream.written_in = self.writes + 1
        paused = self._paused
        try:
            stream.id, left = self._session.open_call(headers, None if paused else message)
        except StreamsExhausted:
            # Out of stream ids: the call needs another connection. Or the peer lowered its limit after a promise.
            if len(self.streams) < self.max_streams:
                self._retire()
            stream.settle(Unprocessed("the connection takes no more streams"))
            return
        except MalformedHeaders as error:
            self._not_started(stream, Refusal(Fault.INVALID_ARGUMENT, f"metadata: {error}"))
            return
        except HeadersTooLarge:
            refusal = Refusal(Fault.HEADERS_TOO_LARGE, "the header fields are larger than the service takes")
            self._not_started(stream, refusal)
            return
        stream.carrier = self
        self.streams[stream.id] = stream
        if stream.deadline < self._deadlines.armed_for:
            self._deadlines.watch(stream.deadline)
        if left or paused:
            self._keep_back(stream, message, left)
        if not (self._flush_due or paused):
            self._schedule_flush()

    def _not_started(self, stream: Stream, refusal: Refusal) -> None:
        stream.settle(refusal)
        self._owner.capacity_changed()  # the stream we do not take is another's

    def _keep_back(self, stream: Stream, message: bytes | None, left: int) -> None:
        """The last bytes of a message, which flow control did not take; while the socket is behind, when `left` says nothing, all."""
        if message is not None:
            stream.unsent = memoryview(encode_frame(message))[-left:]  # from 0 on where that is all
        self._blocked[stream.id] = stream

    def has_written(self, stream: Stream) -> bool:
        """Whether any byte of the stream was handed to the socket."""
        return stream.written_in <= self.writes

    def push(self, stream: Stream) -> None:
        """Send what `stream.unsent` holds, as far as flow control and the socket allow."""
        if self._paused:
            self._blocked[stream.id] = stream
            return
        data = stream.unsent
        if data or stream.ended_out:
            taken = self._session.send_data(stream.id, data, end=stream.ended_out)  # type: ignore[arg-type]  # a view does
            stream.unsent = data = memoryview(data)[taken:] if taken < len(data) else b""
        if data:
            self._blocked[stream.id] = stream
        elif self._blocked and self._blocked.pop(stream.id, None) is not None:
            stream.drained()
        if not self._flush_due:
            self._schedule_flush()

    def acknowledge(self, stream_id: int, size: int) -> None:
        """Let the peer send `size` bytes more."""
        self._session.acknowledge(stream_id, size)
        if not self._flush_due:
            self._schedule_flush()

    def release(self, stream: Stream, reset_code: int | None) -> None:
        """Forget a settled stream; a reset goes out at once."""
        self.streams.pop(stream.id, None)
        if self._blocked and self._blocked.pop(stream.id, None) is not None and reset_code is None:
            reset_code = NO_ERROR  # our end of the stream was not written, and now it never will be
        if not self.streams:
            self._heartbeat.used()
        if reset_code is not None:
            self._session.reset(stream.id, reset_code)
            self._flush()
        if self.accepting:
            self._owner.capacity_changed()
        elif not self.streams:
            self._freed()

    def give_back(self) -> None:
        """A promised stream is not wanted after all."""
        self.reserved -= 1
        self._freed()

    def _freed(self) -> None:
        if self.accepting:
            self._owner.capacity_changed()
        elif not self.active:
            self.close()

    def ping(self) -> None:
        """Ask the service for a sign of life."""
        self._session.ping(b"edge-gw\0")
        self._flush()

    # Ends.

    def drain(self) -> None:
        """Take no new calls; close when those that run have ended."""
        self._retire()
        if not self.active:
            self.close()

    def close(self) -> None:
        """Say goodbye and close once what is written has left."""
        self._retire()
        if self._transport is not None and not self._transport.is_closing():
            self._session.go_away()
            self._flush()
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Close now; what still runs is told `reason`."""
        self._reason = self._reason or reason
        self._retire()
        self._never_ready(self._reason)  # data may be on its way up still, the SETTINGS among them
        if self._transport is not None:
            self._transport.abort()

    def _never_ready(self, reason: str) -> None:
        if not self.ready.done():
            self.ready.set_result(reason)

    def _retire(self) -> None:
        if self.accepting:
            self.accepting = False
            self._owner.retired(self)

    # Events.

    def _push_blocked(self) -> None:
        for stream in tuple(self._blocked.values()):
            self.push(stream)

    def _on_headers(self, event: HeadersReceived) -> None:
        stream = self.streams.get(event.stream)
        if stream is not None and not event.interim:
            stream.head_received(event.headers, end=event.end)

    def _on_data(self, event: DataReceived) -> None:
        stream = self.streams.get(event.stream)
        if stream is None:
            self._session.acknowledge(event.stream, event.flow_bytes)  # nobody will read it: only the window is owed
        else:
            stream.data_received(event.data, event.flow_bytes, end=event.end)

    def _on_trailers(self, event: TrailersReceived) -> None:
        stream = self.streams.get(event.stream)
        if stream is not None:
            stream.trailers_received(event.headers)

    def _on_reset(self, event: StreamReset) -> None:
        stream = self.streams.get(event.stream)
        if stream is not None:
            stream.reset_received(event.code, by_peer=event.by_peer)

    def _on_window(self, event: WindowOpened) -> None:
        if event.stream == 0:
            self._push_blocked()
        elif (stream := self._blocked.get(event.stream)) is not None:
            self.push(stream)

    def _on_settings(self, event: SettingsReceived) -> None:
        self.max_streams = event.max_concurrent_streams
        if not self.ready.done():
            self.accepting = True
            self.ready.set_result(None)
        if self.accepting:
            self._owner.capacity_changed()

    def _on_go_away(self, event: GoAwayReceived) -> None:
        self._reason = f"the service sent GOAWAY with code {event.code}"
        if event.code == ENHANCE_YOUR_CALM and b"too_many_pings" in event.debug:
            self._owner.pinged_too_often()
        self._retire()
        for stream in [stream for id_, stream in self.streams.items() if id_ > event.last_stream]:
            stream.lost(self._reason, unprocessed=True)
        if not self.active:
            self.close()

    def _on_failure(self, event: ConnectionFailed) -> None:
        self._flush()
        self.abort(f"the service broke HTTP/2: {event.reason}")


_HANDLERS: dict[type[H2Event], Callable[[Connection, Any], None]] = {
    HeadersReceived: Connection._on_headers,
    DataReceived: Connection._on_data,
    TrailersReceived: Connection._on_trailers,
    StreamReset: Connection._on_reset,
    WindowOpened: Connection._on_window,
    SettingsReceived: Connection._on_settings,
    GoAwayReceived: Connection._on_go_away,
    ConnectionFailed: Connection._on_failure,
    PingAcknowledged: lambda _connection, _event: None,  # that something was heard is noted already
}

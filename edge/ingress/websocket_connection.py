"""
One WebSocket on the connection of the HTTP/1.1 request that asked for it, or on a stream (`websocket_http2`): frames in and out, one call.

Owns the connection from the handshake to the end: that it is read only while there is room, that a silent or unreading client does not
hold it for ever, and that both ends of it, the call's and the client's, lead to one close frame and then to a closed socket.
Source: RFC 6455 sections 5.5, 7.1; docs/adr/0009-websocket.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from edge.core.websocket_close import GOING_AWAY, INTERNAL_ERROR, TOO_BIG, UNSUPPORTED_DATA, close_code, close_reason
from edge.core.websocket_frames import (
    PING,
    Closed,
    Event,
    FrameReader,
    Message,
    Pinged,
    Violation,
    close_frame,
    pong_frame,
)
from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.http1_response import head
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.lazy_timer import LazyTimer
from edge.ingress.service import Answer, Header, StreamCall
from edge.ingress.turn import Turn
from edge.ingress.upgrade import Handover
from edge.ingress.websocket_flow import IncomingMessages, OutgoingMessages
from edge.ingress.websocket_speech import one_message
from edge.outcome import SWITCHING_PROTOCOLS, Fault, Refusal

_OPEN = 0  # frames flow
_CLOSING = 1  # our close frame is out; what comes before the client's is dropped
_CLOSED = 2  # closing or gone


class WebSocketTerms(NamedTuple):
    """What the handshake settled. `text`: messages are text frames; `max_messages` is None for any number."""

    fields: Sequence[Header]
    text: bool
    max_messages: int | None
    max_message_bytes: int
    ping_interval_s: float


def take_over(terms: WebSocketTerms, handover: Handover, call: StreamCall) -> None:
    """Make the connection a WebSocket, and run the call on it."""
    handover.transport.write(head(SWITCHING_PROTOCOLS, terms.fields))
    WebSocketConnection(terms, handover).begin(call, handover)


class WebSocketConnection(asyncio.Protocol):
    """The protocol handler of one WebSocket."""

    __slots__ = (
        "_asked", "_connections", "_frames", "_heard", "_incoming", "_left", "_limits", "_loop", "_lost", "_outgoing", "_paused",
        "_ping", "_state", "_terms", "_timer", "_transport", "_turn", "_verdict", "_writer",
    )  # fmt: skip

    def __init__(self, terms: WebSocketTerms, handover: Handover) -> None:
        self._terms = terms
        self._transport = handover.transport
        self._connections = handover.connections
        self._limits = handover.limits
        self._loop = handover.loop
        self._state = _OPEN
        self._frames = FrameReader(terms.max_message_bytes)
        self._writer = AnswerWriter(handover.transport)
        self._incoming = IncomingMessages(self._advance, handover.loop)
        self._outgoing = OutgoingMessages(handover.transport, self._writer, self._say_close)
        self._turn = Turn(handover.service, handover.loop, self._finished)
        self._timer = LazyTimer(handover.loop, self._expired)
        self._left = terms.max_messages
        self._paused = self._lost = False
        self._ping: bytes | None = None  # the last that was not answered: one pong for it answers all before it
        self._verdict: tuple[int, str] | None = None  # how it must be closed, whatever the call says
        self._heard = self._asked = handover.loop.time()

    def begin(self, call: StreamCall, handover: Handover) -> None:
        """The handshake has been answered: read what came early, start the call."""
        if handover.former is not None:
            self._connections.replace(handover.former, self)
        self._transport.set_protocol(self)
        self._turn.take(call, handover.head)
        if self._left == 0:
            self._incoming.end()
        self._timer.at(self._heard + self._terms.ping_interval_s)
        self._turn.run(self._incoming, self._outgoing)
        self._frames.feed(handover.rest)
        self._advance()

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._state == _CLOSED:
            return
        self._heard = self._loop.time()
        self._frames.feed(data)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._state = _CLOSED
        self._lost = True
        self._timer.close()
        self._turn.gone()
        if not self._turn.busy:  # else the end of its task takes this connection off the list
            self._connections.discard(self)

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._writer.paused = True
        self._watch_writes()

    def resume_writing(self) -> None:
        """It took enough."""
        self._writer.resume()
        self._pong()
        if self._state == _OPEN:
            self._timer.at(self._loop.time() + self._terms.ping_interval_s)

    # What the listener calls.

    def drain(self) -> None:
        """Let the call run: `cut` comes when its time is up."""

    def cut(self) -> None:
        """Tell the client that we go away, unless it does not even take what was written before, and go."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
            return
        self._say_close(GOING_AWAY, "")
        self._leave()

    # Reading.

    def _advance(self) -> None:
        """Act on frames until a message waits to be taken or the bytes are used up; read the socket while few are held."""
        while (self._state == _CLOSING or self._has_room()) and (event := self._frames.next()) is not None:
            if self._state == _OPEN or isinstance(event, Closed):
                self._act(event)
        self._pong()
        crowded = self._frames.held_bytes > QUEUE_BYTES
        if crowded != self._paused and not self._transport.is_closing():
            self._paused = crowded
            if crowded:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _has_room(self) -> bool:
        return self._state == _OPEN and not self._incoming.full

    def _act(self, event: Event) -> None:
        if isinstance(event, Message):
            self._received(event)
        elif isinstance(event, Pinged):
            self._ping = event.payload
        elif isinstance(event, Closed):
            self._left_by(event.code)
        else:
            self._violated(event)

    def _received(self, message: Message) -> None:
        if message.text and not message.data:
            self._incoming.end()
        elif message.text != self._terms.text:
            self._violated(Violation(UNSUPPORTED_DATA, "messages are not carried in frames of this kind here"))
        elif self._left == 0 or self._incoming.ended:
            refusal = one_message() if self._left == 0 else _after_the_end()
            self._break(refusal, close_code(refusal.grpc_code), refusal.public_message)
        else:
            self._incoming.put(message.data)
            if self._left is not None:
                self._left -= 1
                if self._left == 0:
                    self._incoming.end()

    def _violated(self, violation: Violation) -> None:
        fault = Fault.BODY_TOO_LARGE if violation.code == TOO_BIG else Fault.MALFORMED_REQUEST
        refusal = Refusal(fault, message=violation.description)
        self._break(refusal, violation.code, violation.description)

    def _break(self, refusal: Refusal, code: int, reason: str) -> None:
        """The client's side cannot go on: its reader is told, or, when nobody reads any more, the call is ended from here."""
        self._verdict = self._verdict or (code, close_reason(reason))
        if not self._incoming.over:
            self._incoming.broke(refusal)
            return
        self._say_close(code, close_reason(reason))
        self._turn.gone()

    def _left_by(self, code: int | None) -> None:
        """The client's close frame: the last thing we read."""
        if self._state == _OPEN:
            self._verdict = None
            self._say_close(code, "")
            self._turn.gone()
        self._leave()

    # Writing.

    def _pong(self) -> None:
        if self._ping is not None and self._state == _OPEN and not self._writer.paused:
            self._transport.write(pong_frame(self._ping))
            self._ping = None

    def _say_close(self, code: int | None, reason: str) -> None:
        """Our close frame, once. The client has a while to answer it."""
        if self._state != _OPEN:
            return
        self._state = _CLOSING
        self._outgoing.over = True
        if self._verdict is not None:
            code, reason = self._verdict
        self._transport.write(close_frame(code, reason))
        if self._frames.over:  # no answer could be read: an end of file is what makes the client close
            self._writer.half_close()
        self._timer.at(self._loop.time() + self._limits.linger_s)

    # Ending.

    def _finished(self, answer: Answer | None) -> None:
        """The call has ended."""
        self._turn.settle(self._outgoing.bytes_sent)
        if self._transport.is_closing() and self._state == _CLOSED:
            self._connections.discard(self)
        else:
            # Unless the call has closed already: then it is a bug, or the loop shuts down.
            self._say_close(INTERNAL_ERROR, "")
            self._advance()  # what waited for the call to take it is dropped; the client's close may stand behind it

    def _leave(self) -> None:
        """Close the socket, once what was written is out or the client has had its time to take it."""
        self._state = _CLOSED
        self._transport.close()
        self._watch_writes()

    def _watch_writes(self) -> None:
        self._writer.watch()
        self._timer.at(self._loop.time() + self._limits.write_timeout_s)

    def _expired(self) -> None:
        """A deadline has passed: the client's to take what was written, to answer our close, or to say anything at all."""
        if self._state == _CLOSED or self._writer.paused:
            if self._writer.stalled():
                self._transport.abort()
            else:
                self._watch_writes()
        elif self._state == _CLOSING:
            self._leave()
        else:
            self._listen()

    def _listen(self) -> None:
        """Ping a client that says nothing, give up on one that does not answer. While it is we who do not read, it owes no answer."""
        self._frames.forgive()
        now, interval_s = self._loop.time(), self._terms.ping_interval_s
        silent_since = max(self._heard, self._asked)
        if now < silent_since + interval_s and not self._paused:
            self._timer.at(silent_since + interval_s)
        elif self._asked <= self._heard or self._paused:
            self._transport.write(PING)
            self._asked = now
            self._timer.at(now + interval_s)
        else:
            self._transport.abort()


def _after_the_end() -> Refusal:
    return Refusal(Fault.MALFORMED_REQUEST, message="a message after the end of the messages")

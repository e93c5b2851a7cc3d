"""
One HTTP/1.1 connection: bytes in, one request at a time to the Service, answers out.

Owns the socket's side of the connection's states (`http1_state`): which bytes go to the reader, which wait, whose turn it is. Pipelined
requests wait as bytes, unread by the parser, in bounded memory. A client that closes its side is taken to be gone, as Go's net/http and
Envoy have it: its call is cancelled. No task outlives the connection's entry in Connections.
Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
from typing import cast

from edge.ingress.connections import Admission, peer_address
from edge.ingress.http1_calling import Calling
from edge.ingress.http1_inlet import Inlet
from edge.ingress.http1_limits import DRAIN_GRACE_S
from edge.ingress.http1_state import BODY, CALL, CLOSED, DISCARD, FLUSH, HEAD, IDLE, READY, STREAM
from edge.ingress.http1_writer import AnswerWriter
from edge.outcome import Fault, Refusal


class Http1Connection(Calling, asyncio.Protocol):
    """The protocol handler of one downstream connection."""

    __slots__ = ()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot, or tell the client that there is none."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._writer = AnswerWriter(self._transport)
        self._inlet = Inlet(self._transport)
        self._peer = peer_address(transport)
        self._secure = transport.get_extra_info("sslcontext") is not None
        admission = self._connections.add(self)
        if admission is Admission.SERVE:
            # A new connection that says nothing is held no longer than one that starts a head and stops.
            wait_s = self._limits.header_timeout_s
            self._timer.at(self._loop.time() + (min(wait_s, DRAIN_GRACE_S) if self._connections.draining else wait_s))
        elif admission is Admission.REFUSE:
            self._refuse(Refusal(Fault.OVERLOADED, "too many connections", retry_after_s=1.0))
        else:
            self._state = CLOSED
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, keep for later, or drop."""
        if self._state <= STREAM:
            self._receive(data, 0)
        elif self._state <= READY:
            self._inlet.keep(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: whatever was owed to a call is paid now."""
        self._state = CLOSED
        self._timer.close()
        self._inlet.clear()
        self._reader.close()
        if self._flushing is not None:
            self._turn.settle(self._flushing[0])
        self._turn.gone()
        if not self._turn.busy:  # else the end of its task takes this connection off the list
            self._connections.discard(self)

    def pause_writing(self) -> None:
        """The reader is slower than we are."""
        self._writer.paused = True
        if self._stream is not None:
            self._stream.watch()

    def resume_writing(self) -> None:
        """It took enough: the answer goes on, or counts as sent, and the next request may come."""
        self._writer.resume()
        if self._stream is not None:
            self._stream.watch()
        elif self._state == FLUSH and self._flushing is not None:
            (size, close), self._flushing = self._flushing, None
            self._answered(size, close=close)

    # What protocol detection calls.

    @property
    def untouched(self) -> bool:
        """Nothing was read yet, nothing answered: the connection may still turn out to speak another protocol."""
        return self._state == IDLE

    # Reading.

    def _receive(self, data: bytes, offset: int) -> None:
        """Read until the data is used up, or until a request is whole and the rest must wait its turn."""
        reader, size = self._reader, len(data)
        while offset < size:
            if self._state == IDLE:
                self._state = HEAD
                self._started = self._loop.time()
                read = reader.read(data, offset)
                if isinstance(read, tuple):  # the common request: it came whole, and nothing behind it
                    self._begin(read)
                    return
                offset = read
            else:
                offset = reader.feed(data, offset)
            if offset < size:
                self._inlet.hold(data, offset)
            if reader.flaw is not None:
                self._unreadable(reader.flaw)
            else:
                if self._state == HEAD and reader.head_complete:
                    self._begin(reader.parts)
                if self._state == STREAM and self._stream is not None:
                    self._stream.fed()
                if reader.complete:
                    self._completed()
            if self._state > STREAM:
                return
            if self._inlet.data:
                self._inlet.clear()
        if self._state == HEAD:
            self._timer.at(self._started + self._limits.header_timeout_s)

    def _completed(self) -> None:
        """A request is whole; what is done about it depends on who was to read its body."""
        if self._state == BODY:
            self._state = CALL
            self._turn.finish(self._reader.take_body())
        elif self._state == STREAM:
            self._state = CALL
        elif self._state == DISCARD:
            self._answered(0, close=False)

    def _resume(self) -> None:
        """The turn of the next pipelined request."""
        if self._state is not READY:
            return
        self._state = IDLE
        self._receive(*self._inlet.take())
        self._inlet.resume()

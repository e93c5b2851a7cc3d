"""
How an HTTP/1.1 connection goes on after an answer, and how it ends.

Owns that `sent` is paid when the answer has left and not before, that a slow reader is waited for as long as it reads, and that a
connection is closed so that its client can still read the last answer. Source: RFC 9112 (9.3 persistence, 9.6 tear-down).
"""

from __future__ import annotations

import asyncio

from edge.ingress.connections import Connections
from edge.ingress.http1_inlet import Inlet
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http1_state import BODY, CALL, CLOSED, FLUSH, HEAD, IDLE, LINGER, READY
from edge.ingress.http1_stream import Http1Stream
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.lazy_timer import LazyTimer
from edge.ingress.service import Answer, Service
from edge.ingress.turn import Turn
from edge.outcome import Fault, Refusal
from edge.wire.engines import engine


class Answering:
    """The sending half of a connection's states; `http1_calling` has the calls, `http1` the socket."""

    __slots__ = (
        "_connections", "_flushing", "_inlet", "_limits", "_loop", "_peer", "_reader", "_secure", "_service", "_started", "_state",
        "_stream", "_timer", "_transport", "_turn", "_writer",
    )  # fmt: skip

    def __init__(
        self, service: Service, limits: Http1Limits, connections: Connections, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._service = service
        self._limits = limits
        self._connections = connections
        self._loop = loop
        self._state = IDLE
        self._timer = LazyTimer(loop, self._expired)
        self._reader = engine().request_reader(limits)
        self._turn = Turn(service, loop, self._finished)
        self._transport: asyncio.Transport
        self._writer: AnswerWriter
        self._inlet: Inlet
        self._peer = ""
        self._secure = False
        self._started = 0.0
        self._stream: Http1Stream | None = None  # while a streaming call runs
        self._flushing: tuple[int, bool] | None = None  # the size `sent` is owed, and whether to close after it

    def _closes(self) -> bool:
        return not self._reader.keep_alive or self._connections.draining

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        close = close or answer.close or not self._reader.keep_alive or self._connections.draining
        self._answered(self._writer.send(answer, self._turn.head or self._reader, close=close), close=close)

    def _answered(self, size: int, *, close: bool) -> None:
        """Settle and go on, to the next request or to the end: now, or when a slow reader has taken the answer."""
        if self._writer.paused:
            self._state = FLUSH
            self._flushing = (size, close)
            self._watch_writes()
            return
        self._turn.settle(size)
        if close:
            self._end()
            return
        self._reader.reset()
        if self._inlet.data:
            # Not in a loop here: a buffer full of tiny requests would keep every other connection waiting.
            self._state = READY
            self._loop.call_soon(self._resume)
            return
        self._state = IDLE
        if self._inlet.paused:
            self._inlet.resume()
        if self._connections.draining:
            self._close()
        else:
            self._timer.at(self._loop.time() + self._limits.idle_timeout_s)

    def _end(self) -> None:
        """
        Close, after a while if the client may be sending still (RFC 9112 9.6).

        Closing with its bytes unread would make the kernel send a reset, which may reach it before the answer does.
        """
        if self._reader.complete and not self._reader.keep_alive and not self._inlet:
            self._close()  # it has said itself that nothing follows
            return
        self._state = LINGER
        self._inlet.clear()
        self._writer.half_close()
        self._inlet.resume()
        self._timer.at(self._loop.time() + self._limits.linger_s)

    def _close(self) -> None:
        self._state = CLOSED
        self._inlet.clear()
        self._watch_writes()  # the transport waits for what it still has to send: not forever
        self._transport.close()

    def _watch_writes(self) -> None:
        self._writer.watch()
        self._timer.at(self._loop.time() + self._limits.write_timeout_s)

    def _expired(self) -> None:
        """
        A deadline has passed; what it meant depends on the state.

        Nothing where the client is not waited for: a body that came, or a request that did, costs no visit to the timer.
        """
        state = self._state
        if self._stream is not None:
            refusal = self._stream.expired()
            if refusal is not None:
                self._deafen(self._stream, refusal)
        elif state == BODY or (state == HEAD and self._reader.begun):
            part = "body" if state == BODY else "head"
            self._refuse(Refusal(Fault.REQUEST_TIMEOUT, f"the {part} did not arrive in time"))
        elif state in (FLUSH, CLOSED):
            if self._writer.stalled():
                self._transport.abort()
            else:
                self._watch_writes()
        elif state not in (CALL, READY):  # nothing was asked, or it was answered: nobody waits for an answer
            self._close()

    def retire(self) -> None:
        """The socket speaks another protocol: this object is not its handler any more."""
        self._state = CLOSED
        self._timer.close()
        self._reader.close()

    def drain(self) -> None:
        """Close now when idle; otherwise the running request's answer says `Connection: close`."""
        if self._state == IDLE:
            self._close()

    def cut(self) -> None:
        """Close now, whatever runs; connection_lost does the rest."""
        self._transport.abort()

    # What the halves above this one do.

    def _resume(self) -> None:
        """The turn of the next pipelined request."""
        raise NotImplementedError

    def _finished(self, answer: Answer | None) -> None:
        """The call has ended; `answer` is None when it was cancelled, or answered by itself."""
        raise NotImplementedError

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot go on, and end the connection."""
        raise NotImplementedError

    def _deafen(self, stream: Http1Stream, refusal: Refusal) -> None:
        """A streaming call's body broke off."""
        raise NotImplementedError

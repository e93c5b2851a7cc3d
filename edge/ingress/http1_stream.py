"""
The two directions of one streaming call on an HTTP/1.1 connection, and the clock on both.

Owns back-pressure and progress: the client is read no faster than the call reads, and it has a time of its own for each step it is
waited for, to send on or to read on. An answer that flows excuses a body that rests. Sources: RFC 9110 10.1.1; reliability.md R15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.ingress.http1_body import ArrivingBody
from edge.ingress.http1_inlet import Inlet
from edge.ingress.http1_limits import BODY_BYTES, Http1Limits
from edge.ingress.http1_response import CONTINUE
from edge.ingress.http1_sink import LeavingAnswer
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.lazy_timer import LazyTimer
from edge.outcome import Fault, Refusal
from edge.wire.http1 import RequestReader


class Http1Stream:
    """
    `body` and `sink` are the call's; the connection says what happens to it: `fed`, `broke`, `watch` when the transport pauses or goes on.

    `coming` while more of the body is expected; `deaf` once it broke off, and what comes can be nothing any more.
    """

    __slots__ = (
        "_body_until", "_inlet", "_limits", "_loop", "_marked_bytes", "_reader", "_timer", "_transport", "_writer", "body", "coming",
        "deaf", "sink",
    )  # fmt: skip

    def __init__(
        self,
        transport: asyncio.Transport,
        reader: RequestReader,
        inlet: Inlet,
        writer: AnswerWriter,
        timer: LazyTimer,
        limits: Http1Limits,
        loop: asyncio.AbstractEventLoop,
        closes: Callable[[], bool],
        *,
        bounded: bool,
    ) -> None:
        self._transport = transport
        self._reader = reader
        self._inlet = inlet
        self._writer = writer
        self._timer = timer
        self._limits = limits
        self._loop = loop
        self._marked_bytes = 0  # of the answer, when the client's time to send on began
        # A body without a bound is a dialogue: each piece has its time. One with a bound has it once, before the answer.
        self._body_until = loop.time() + limits.body_timeout_s if bounded else None
        self.coming = not reader.complete
        self.deaf = False
        self.body = ArrivingBody(reader, self._wanted, loop)
        # A client that still waits for 100 may send its body or not once it reads the answer: nobody could tell which.
        self.sink = LeavingAnswer(
            transport, writer, reader, lambda: closes() or self.deaf or (self.coming and reader.expects_continue)
        )

    def fed(self) -> None:
        """The reader was given what the client sent: wake the call, and let no more come than it takes."""
        self.coming = not self._reader.complete
        self.body.arrived()
        if self._reader.held_bytes > BODY_BYTES:
            self._inlet.pause()
        self.watch()

    def broke(self, refusal: Refusal) -> None:
        """The rest of the body cannot be read, or not in time."""
        self.coming = False
        self.deaf = True
        self.body.broke(refusal)
        self._inlet.resume()  # only a socket that is read tells of a client that goes away
        self.watch()

    def close(self) -> None:
        """The call has ended; whoever still reads must not read of the next request."""
        self.body.broke(Refusal(Fault.CANCELLED))
        self._timer.off()

    def watch(self) -> None:
        """Whoever is waited for has its time from now on: the client to read on, or to send on where we want it to."""
        if self._writer.paused:
            self._writer.watch()
            self._timer.at(self._loop.time() + self._limits.write_timeout_s)
        elif self.coming and not self._inlet.paused and not self._reader.expects_continue:
            self._marked_bytes = self.sink.body_bytes
            until = None if self.sink.started else self._body_until
            self._timer.at(self._loop.time() + self._limits.body_timeout_s if until is None else until)
        else:
            self._timer.off()

    def expired(self) -> Refusal | None:
        """The time has passed; what is wrong with the body then, if it is the body that was waited for."""
        if self._writer.paused:
            if self._writer.stalled():
                self._transport.abort()
                return None
        elif self.coming and self.sink.body_bytes == self._marked_bytes:
            return Refusal(Fault.REQUEST_TIMEOUT, "the body did not arrive in time")
        self.watch()
        return None

    def _wanted(self) -> None:
        """The call has taken what was held of its body: the client may send on."""
        reader = self._reader
        if self.coming and reader.expects_continue and not self.sink.started:
            reader.expects_continue = False
            self._transport.write(CONTINUE)
        self._inlet.resume()
        self.watch()

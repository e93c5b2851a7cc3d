"""
The answer of a streaming call on an HTTP/2 stream, as the call makes it.

Owns the wait for a slow client: a write returns when flow control and the socket have taken all of it, so that one piece is held at
most. An answer that stops short is a reset, which no client takes for an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from edge.ingress import http2_response
from edge.ingress.http1_response import BODILESS
from edge.ingress.http2_outgoing import Outgoing
from edge.ingress.service import Header


class LeavingAnswer:
    """`edge.ingress.service.AnswerSink`. `ready` has `outgoing` sent as far as it can be; `reset` ends the stream abruptly."""

    __slots__ = (
        "_head_only",
        "_left",
        "_loop",
        "_muted",
        "_outgoing",
        "_ready",
        "_reset",
        "_waiter",
        "closed",
        "started",
    )

    def __init__(
        self,
        outgoing: Outgoing,
        ready: Callable[[], None],
        reset: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
        *,
        head_only: bool,
    ) -> None:
        self._outgoing = outgoing
        self._ready = ready
        self._reset = reset
        self._loop = loop
        self._head_only = head_only
        self._muted = False
        self._left: int | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.started = self.closed = False

    def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the head."""
        if self.started:
            raise RuntimeError("the answer has begun already")
        length = next((value for name, value in headers if name == b"content-length"), None)
        head = http2_response.head(status, headers)
        self._muted = self._head_only or status in BODILESS
        self._left = None if length is None or self._muted else int(length)
        self.started = True
        self._outgoing.begin(head)
        self._ready()

    async def write(self, data: bytes) -> None:
        """Send a piece; waits while the client is slower than we are."""
        self._refuse_if_not_open()
        if not data or self._muted:
            return
        if self._left is not None:
            if len(data) > self._left:
                raise RuntimeError("the answer is longer than its content-length")
            self._left -= len(data)
        self._outgoing.add(data)
        self._ready()
        while self._outgoing.waiting:
            self._waiter = self._loop.create_future()
            await self._waiter

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """The body is whole."""
        self._refuse_if_not_open()
        if self._left:
            self.abort()
            return
        self._outgoing.end(http2_response.safe(trailers))
        self.closed = True
        self._ready()

    def abort(self) -> None:
        """The body will not be whole."""
        if not self.closed:
            self.closed = True
            self._reset()

    def drained(self) -> None:
        """What was written is out, or nobody reads it any more."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _refuse_if_not_open(self) -> None:
        if self.closed or not self.started:
            raise RuntimeError("the answer is not open")

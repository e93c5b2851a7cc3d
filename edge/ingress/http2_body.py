"""
The body of a streaming call on an HTTP/2 stream, as the call reads it.

Owns back-pressure: the client's window opens by what the call has read, and no further, so that at most a window's worth is held.
What is held when the call ends is given back to the connection's window, or other streams would starve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.ingress.service import BodyBroken, over_limit
from edge.outcome import Refusal


class ArrivingBody:
    """`edge.ingress.service.BodySource`. `acknowledge` opens the client's window; `limit` bounds the whole body, None does not."""

    __slots__ = ("_acknowledge", "_held", "_limit", "_loop", "_owed", "_received", "_refusal", "_waiter", "ended")

    def __init__(self, acknowledge: Callable[[int], None], limit: int | None, loop: asyncio.AbstractEventLoop) -> None:
        self._acknowledge = acknowledge
        self._limit = limit
        self._loop = loop
        self._held = bytearray()
        self._owed = 0  # flow-controlled bytes, padding included, not acknowledged yet
        self._received = 0
        self._refusal: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.ended = False

    async def read(self) -> bytes:
        """The next piece, empty at the end. Raises BodyBroken."""
        while True:
            if self._refusal is not None:
                raise BodyBroken(self._refusal)
            if self._held:
                data = bytes(self._held)
                self._held.clear()
                self._pay()
                return data
            if self.ended:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter

    def feed(self, data: bytes, flow_bytes: int, *, end: bool) -> None:
        """What the client sent."""
        self._owed += flow_bytes
        self._received += len(data)
        self.ended = end
        if self._refusal is not None:
            self._pay()
            return
        if self._limit is not None and self._received > self._limit:
            self.broke(over_limit(self._limit))
            return
        self._held += data
        if not self._held:
            self._pay()  # padding alone is nothing to read
        self._wake()

    def broke(self, refusal: Refusal) -> None:
        """The rest will not come, or nobody may read it any more; the first reason stays."""
        self._refusal = self._refusal or refusal
        self._held.clear()
        self._pay()
        self._wake()

    def _pay(self) -> None:
        owed, self._owed = self._owed, 0
        if owed:
            self._acknowledge(owed)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""
The body of a streaming call on an HTTP/1.1 connection, as the call reads it.

Owns the seam between the reader, which is fed whatever the socket gives, and the call, which takes what it can use: nothing is
handed over after the body broke off or the call ended, so that no call ever reads of the next request.
Source: RFC 9112 section 7.1; RFC 9110 10.1.1 (100-continue).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.ingress.service import BodyBroken
from edge.outcome import Refusal
from edge.wire.http1 import RequestReader


class ArrivingBody:
    """
    `edge.ingress.service.BodySource`.

    `wanted` is called at each read: what was held has been taken, and the client may send more. The connection calls `arrived`
    when it has fed the reader.
    """

    __slots__ = ("_loop", "_reader", "_refusal", "_waiter", "_wanted")

    def __init__(self, reader: RequestReader, wanted: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._reader = reader
        self._wanted = wanted
        self._loop = loop
        self._refusal: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """The next piece, empty at the end. Raises BodyBroken."""
        while True:
            if self._refusal is not None:
                raise BodyBroken(self._refusal)
            data = self._reader.take_body()
            self._wanted()
            if data or self._reader.complete:
                return data
            self._waiter = self._loop.create_future()
            await self._waiter

    def arrived(self) -> None:
        """There is more to read, or the end."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def broke(self, refusal: Refusal) -> None:
        """The rest will not come, or nobody may read it any more; the first reason stays."""
        self._refusal = self._refusal or refusal
        self.arrived()

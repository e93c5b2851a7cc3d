"""
What flows through a WebSocket, as its call sees it: one message at a time each way.

Owns back-pressure inwards: there is room for one message, and the connection parses the next only when it was taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from edge.core.websocket_close import INTERNAL_ERROR, NORMAL
from edge.ingress.http1_writer import AnswerWriter
from edge.ingress.service import BodyBroken, Header
from edge.outcome import Refusal


class IncomingMessages:
    """`edge.ingress.service.BodySource`, by the message. `wanted` is called when there is room for one."""

    __slots__ = ("_loop", "_message", "_refusal", "_waiter", "_wanted", "ended")

    def __init__(self, wanted: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._wanted = wanted
        self._loop = loop
        self._message: bytes | None = None
        self._refusal: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.ended = False

    @property
    def full(self) -> bool:
        """A message waits to be taken."""
        return self._message is not None

    @property
    def over(self) -> bool:
        """There is nothing more to take: whoever reads will not learn of what goes wrong now."""
        return self.ended and not self.full

    async def next(self) -> bytes | None:
        """The next message; None when the client has ended its side. Raises BodyBroken."""
        while True:
            if self._refusal is not None:
                raise BodyBroken(self._refusal)
            message, self._message = self._message, None
            if message is not None:
                self._wanted()
                return message
            if self.ended:
                return None
            self._waiter = self._loop.create_future()
            await self._waiter

    async def read(self) -> bytes:
        """The next message; empty at the end, too."""
        return await self.next() or b""

    def put(self, message: bytes) -> None:
        """A message has come."""
        self._message = message
        self._wake()

    def end(self) -> None:
        """The client has no more."""
        self.ended = True
        self._wake()

    def broke(self, refusal: Refusal) -> None:
        """The rest will not come; the first reason stays."""
        self._refusal = self._refusal or refusal
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class OutgoingMessages:
    """
    `edge.ingress.service.AnswerSink`, by the frame: what is written are whole frames.

    `say_close` sends the last frame. `bytes_sent` counts frames, theirs and ours.
    """

    __slots__ = ("_say_close", "_transport", "_writer", "bytes_sent", "over")

    def __init__(
        self, transport: asyncio.Transport, writer: AnswerWriter, say_close: Callable[[int, str], None]
    ) -> None:
        self._transport = transport
        self._writer = writer
        self._say_close = say_close
        self.over = False
        self.bytes_sent = 0

    def start(self, status: int, headers: Sequence[Header]) -> None:
        """Nothing: the head was the 101, before the service said anything."""

    async def write(self, data: bytes) -> None:
        """Send frames; waits while the client is slower than we are."""
        if self.over:
            return
        self.bytes_sent += len(data)
        self._transport.write(data)
        if self._writer.paused:
            await self._writer.resumed()

    def close(self, code: int, reason: str) -> None:
        """The end."""
        if not self.over:
            self.over = True
            self._say_close(code, reason)

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """A good end."""
        self.close(NORMAL, "")

    def abort(self) -> None:
        """A bad one."""
        self.close(INTERNAL_ERROR, "")

"""
The sending half of an HTTP/1.1 connection.

Owns the bytes between an answer and the transport: rendering, the fall-back when an answer may not leave, whether the reader
keeps up, and whether it has taken anything lately.
"""

from __future__ import annotations

import asyncio

import structlog

from edge.ingress.containment import last_resort
from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.http1_response import BODILESS, render
from edge.ingress.service import Answer
from edge.wire.engines import engine
from edge.wire.http1 import RequestReader

_log = structlog.get_logger("edge.http1")

_CLOSE = b"connection: close\r\n"
_KEEP_ALIVE = b"connection: keep-alive\r\n"


def connection_line(request: RequestReader, *, close: bool) -> bytes:
    """The Connection field an answer needs; an HTTP/1.0 peer takes the connection for closed unless told otherwise (RFC 9112 C.2.2)."""
    return _CLOSE if close else _KEEP_ALIVE if request.version == "1.0" else b""


class AnswerWriter:
    """Sends answers on a transport. `paused` while the reader is slower than we are."""

    __slots__ = ("_render", "_resumed", "_transport", "_unsent_bytes", "paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._render = engine().render
        self._unsent_bytes = 0
        self._resumed: asyncio.Event | None = None  # made by the first to wait: most connections never see one
        self.paused = False

    def resume(self) -> None:
        """The reader took enough."""
        self.paused = False
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None

    async def resumed(self) -> None:
        """Wait while paused."""
        while self.paused:
            if self._resumed is None:
                self._resumed = asyncio.Event()
            await self._resumed.wait()

    def send(self, answer: Answer, request: RequestReader, *, close: bool) -> int:
        """Hand an answer to the transport; the body bytes sent."""
        connection = b"" if not close and request.version == "1.1" else connection_line(request, close=close)
        head_only = request.method == "HEAD"
        try:
            size = 0 if head_only or answer.status in BODILESS else len(answer.body)
            apart = size > QUEUE_BYTES  # not worth a copy
            wire = render(self._render, answer, head_only=head_only or apart, connection=connection)
        except Exception:  # noqa: BLE001  # an unsafe field or a value of the wrong type: a bug of the service, not of the connection
            _log.exception("an answer could not be rendered", status=answer.status)
            return self.send(last_resort(), request, close=close)
        self._transport.write(wire)
        if apart:
            self._transport.write(answer.body)
        return size

    def half_close(self) -> None:
        """Nothing more will be sent; where the transport can say so (TLS cannot), it does."""
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def watch(self) -> None:
        """Remember how much is unsent, for `stalled`."""
        self._unsent_bytes = self._transport.get_write_buffer_size()

    def stalled(self) -> bool:
        """The reader has taken nothing since `watch`."""
        return not 0 < self._transport.get_write_buffer_size() < self._unsent_bytes

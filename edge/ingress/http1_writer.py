"""
The sending half of an HTTP/1.1 connection.

Owns the framing of whole answers (exactly one Content-Length where a body may be, none where none may be), the fall-back when an answer
may not leave, whether the reader keeps up, and whether it has taken anything lately. That no field breaks out of its line is the engine's
to prove. Source: RFC 9112 6.3, RFC 9110 8.6.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from edge.ingress.containment import last_resort
from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.http1_response import BODILESS, DATE, STATUS_LINES
from edge.ingress.service import Answer
from edge.wire.engines import engine

_log = structlog.get_logger("edge.http1")

_CLOSE = b"connection: close\r\n"
_KEEP_ALIVE = b"connection: keep-alive\r\n"


class Asked(Protocol):
    """What an answer must know of its request: a Head, or what a reader has of one; both empty when there is none."""

    @property
    def method(self) -> str:
        """As in a Head."""

    @property
    def version(self) -> str:
        """As in a Head."""


def connection_line(request: Asked, *, close: bool) -> bytes:
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

    def send(self, answer: Answer, request: Asked, *, close: bool) -> int:
        """Hand an answer to the transport; the body bytes sent."""
        status, headers, body, _, _ = answer
        connection = b"" if not close and request.version == "1.1" else connection_line(request, close=close)
        bodiless = status in BODILESS
        try:
            size = 0 if bodiless or request.method == "HEAD" else len(body)
            apart = size > QUEUE_BYTES  # not worth a copy
            wire = self._render(
                STATUS_LINES[status],
                headers,
                None if bodiless else len(body),
                connection,
                DATE.line(),
                body if size and not apart else b"",
            )
        except Exception:  # noqa: BLE001  # an unsafe field or a value of the wrong type: a bug of the service, not of the connection
            _log.exception("an answer could not be rendered", status=status)
            return self.send(last_resort(), request, close=close)
        self._transport.write(wire)
        if apart:
            self._transport.write(body)
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

"""
The answer of a streaming call on an HTTP/1.1 connection, as the call makes it.

Owns its framing: the dialect's own Content-Length; chunks for HTTP/1.1; for HTTP/1.0, which has none, the connection's end. And that
an answer cut short is seen to be so: the last chunk is missing, or the length is not reached, or the connection is reset.
Source: RFC 9112 6.3, 7.1, 7.1.2 (trailers); RFC 9110 6.5.1, 10.1.4 (TE).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from http import HTTPMethod

from edge.ingress.http1_head import rest_may_be_large
from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.http1_response import BODILESS, head
from edge.ingress.http1_writer import AnswerWriter, connection_line
from edge.ingress.service import Header
from edge.wire.http1 import RequestReader
from edge.wire.portable.http1_answer import field_lines

_CHUNKED = b"transfer-encoding: chunked\r\n"
_LINGER_NOT = struct.pack("ii", 1, 0)


class LeavingAnswer:
    """
    `edge.ingress.service.AnswerSink`.

    `closes` says, when the head is made, whether the connection ends with this answer; `close` keeps the verdict. `body_bytes` counts
    what was handed to the transport, framing not included.
    """

    __slots__ = (
        "_chunked", "_closes", "_left", "_muted", "_request", "_transport", "_writer", "aborted", "body_bytes", "close", "over", "started",
    )  # fmt: skip

    def __init__(
        self, transport: asyncio.Transport, writer: AnswerWriter, request: RequestReader, closes: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._writer = writer
        self._request = request
        self._closes = closes
        self._chunked = self._muted = False
        self._left: int | None = None
        self.started = self.over = self.aborted = self.close = False
        self.body_bytes = 0

    def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the head."""
        if self.started:
            raise RuntimeError("the answer has begun already")
        request = self._request
        # A rest of the body that may be large will not be waited for: now the client can still be told. Later, it would send its next
        # request into a connection that is being closed.
        self.close = self._closes() or rest_may_be_large(request)
        self._muted = status in BODILESS or request.method == HTTPMethod.HEAD
        length = next((value for name, value in headers if name == b"content-length"), None)
        framing = b""
        if length is not None:
            self._left = int(length)
        elif status not in BODILESS:
            self._chunked = request.version != "1.0"
            framing = _CHUNKED if self._chunked else b""
            if not self._chunked:
                self.close = True
                request.keep_alive = False  # the end is told by closing: the connection must not linger first
        self._transport.write(head(status, headers, framing, connection_line(request, close=self.close)))
        self.started = True

    async def write(self, data: bytes) -> None:
        """Send a piece; waits while the client is slower than we are."""
        if self.over or not self.started:
            raise _not_open()
        if not data or self._muted:
            return
        if self._left is not None:
            if len(data) > self._left:
                raise RuntimeError("the answer is longer than its Content-Length")
            self._left -= len(data)
        self.body_bytes += len(data)
        if not self._chunked:
            self._transport.write(data)
        elif len(data) <= QUEUE_BYTES:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:  # not worth a copy
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        if self._writer.paused:
            await self._writer.resumed()

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """The body is whole. Trailers go out where there is room for them and the client said that it reads them."""
        if self.over or not self.started:
            raise _not_open()
        if self._left and not self._muted:
            self.abort()
            return
        if self._chunked and not self._muted:
            fields = field_lines(trailers) if trailers and self._takes_trailers() else b""
            self._transport.write(b"0\r\n%b\r\n" % fields)
        self.over = True

    def abort(self) -> None:
        """The body will not be whole; the connection handler closes. An end that would look like a good one is made a reset."""
        if self.over:
            return
        self.over = self.aborted = True
        if self.started and not self._chunked and self._left is None:
            self._reset()

    def _reset(self) -> None:
        """Close with RST: what HTTP/1.0 calls the end of a body is the end of the connection, and only that tells the two apart."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def _takes_trailers(self) -> bool:
        return any(name == b"te" and b"trailers" in value.lower() for name, value in self._request.headers)


def _not_open() -> RuntimeError:
    return RuntimeError("the answer is not open")

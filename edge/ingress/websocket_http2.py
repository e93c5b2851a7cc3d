"""
A WebSocket on an HTTP/2 stream: the same connection object as over HTTP/1.1, with the stream for its socket.

Owns what differs: the handshake is answered by a 200 on the stream, and the stream's end takes the place of the socket's. The call runs
as it does over HTTP/1.1, and is settled there; the stream's own call, which only carries bytes, has nothing to settle.
Source: RFC 8441; docs/adr/0009-websocket.md.
"""

from __future__ import annotations

import asyncio
from typing import Literal, NoReturn

from edge.ingress.connections import Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import AnswerSink, BodySource, Head, StreamCall
from edge.ingress.stream_transport import StreamTransport
from edge.ingress.upgrade import Handover
from edge.ingress.websocket_connection import WebSocketConnection, WebSocketTerms
from edge.outcome import OK, Refusal


class WebSocketOnStream:
    """`edge.ingress.service.StreamCall` that carries another one, in frames."""

    __slots__ = ("_call", "_head", "_terms", "_write_timeout_s")

    streams: Literal[True] = True
    max_body_bytes: int | None = None

    def __init__(self, call: StreamCall, terms: WebSocketTerms, head: Head, write_timeout_s: float) -> None:
        self._call = call
        self._terms = terms
        self._head = head
        self._write_timeout_s = write_timeout_s

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Accept, then carry bytes until both the WebSocket and its call have ended. Cancelled when the client resets the stream."""
        answer.start(OK, self._terms.fields)
        transport = StreamTransport()
        here = _OneStream()
        handover = Handover(
            transport,
            None,
            here,
            _NoHeads(),
            Http1Limits(write_timeout_s=self._write_timeout_s),
            asyncio.get_running_loop(),
            self._head,
            b"",
        )
        connection = WebSocketConnection(self._terms, handover)
        connection.begin(self._call, handover)
        try:
            await transport.carry(body, answer)
        finally:
            connection.connection_lost(None)
            await here.over.wait()

    def sent(self, response_bytes: int) -> None:
        """The call within was told by the WebSocket."""


class _OneStream:
    """`upgrade.Register` of one: it is told when the WebSocket is over, its call's task included."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    def replace(self, connection: Connection, successor: Connection) -> None:
        """There was none before it."""

    def discard(self, connection: Connection) -> None:
        self.over.set()


class _NoHeads:
    """`edge.ingress.service.Service` for a connection whose one call has begun."""

    def begin(self, head: Head) -> NoReturn:
        raise AssertionError("a WebSocket has no second request")

    def refuse(self, head: Head | None, refusal: Refusal) -> NoReturn:
        raise AssertionError("a WebSocket has no second request")

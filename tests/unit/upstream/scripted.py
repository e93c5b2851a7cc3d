"""An HTTP/2 server that says exactly what a test wants, on python-hyper's own h2 (not on our session)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event, RequestReceived, StreamEnded

RESPONSE = [(b":status", b"200"), (b"content-type", b"application/grpc")]


class Peer(asyncio.Protocol):
    """One accepted connection; `answer(peer, stream)` is called when a request has ended."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.h2 = H2Connection(
            H2Configuration(client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False)
        )
        self.number = len(server.peers)
        server.peers.append(self)
        self.events: list[Event] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.server.silent:
            return
        self.h2.initiate_connection()
        if self.server.leaving:
            self.h2.close_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.server.silent or self.server.deaf:
            return
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, RequestReceived):
                self.server.requests += 1
            if isinstance(event, StreamEnded):
                self.server.answer(self, event.stream_id)
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def reply(self, stream: int, *bodies: bytes, status: bytes = b"0") -> None:
        """A plain gRPC answer; bodies are framed."""
        self.h2.send_headers(stream, RESPONSE)
        for body in bodies:
            self.h2.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
        self.h2.send_headers(stream, [(b"grpc-status", status)], end_stream=True)


class Server:
    """The peers it accepted, and how it answers."""

    def __init__(self, answer: Callable[[Peer, int], None], *, silent: bool) -> None:
        self.answer = answer
        self.silent = silent
        self.deaf = False
        self.leaving = False  # says GOAWAY as soon as it is connected
        self.peers: list[Peer] = []
        self.requests = 0
        self.port = 0


@asynccontextmanager
async def scripted(
    answer: Callable[[Peer, int], None] = lambda peer, stream: peer.reply(stream, b"ok"),
    *,
    silent: bool = False,
    port: int = 0,
) -> AsyncIterator[Server]:
    """A scripted server on loopback."""
    server = Server(answer, silent=silent)
    listener = await asyncio.get_running_loop().create_server(lambda: Peer(server), "127.0.0.1", port)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for peer in server.peers:
            peer.transport.abort()
        await listener.wait_closed()


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Let the loop run until `condition` holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.001)

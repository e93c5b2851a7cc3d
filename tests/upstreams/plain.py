"""
Something on the port that does not speak gRPC: an HTTP/2 (h2c, prior knowledge) server that gives one scripted answer to every request.

    async with Plain(Scripted(502, (("content-type", "text/html"),), b"<h1>Bad Gateway</h1>")) as upstream:
        ...  # the gateway, dialling upstream.address

Also for gRPC answers grpcio would never give: a broken length prefix, a compressed flag, a status of 99, no trailers at all.
`trailers` None ends the stream without any; `reset` sends RST_STREAM with that code behind the body instead of an end.
`headers` with a `grpc-status` and no body and no trailers make a trailers-only answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scripted:
    """One answer, as it goes onto the wire."""

    status: int = 200
    headers: Pairs = (("content-type", "application/grpc"),)
    body: bytes = b""
    trailers: Pairs | None = None
    reset: int | None = None


@dataclass
class Plain:
    """The server, in the running loop; an asynchronous context manager. `requests` are the headers of each request."""

    answer: Scripted = field(default_factory=Scripted)
    requests: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @property
    def address(self) -> str:
        """host:port to dial."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Plain:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, h2.exceptions.ProtocolError, asyncio.CancelledError):
            pass  # the other side is gone, or the test has ended: this task's end is all that is wanted
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                self._on(connection, event)
            writer.write(connection.data_to_send())
            await writer.drain()

    def _on(self, connection: h2.connection.H2Connection, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self.requests.append({str(name): str(value) for name, value in event.headers or ()})
        elif isinstance(event, h2.events.DataReceived):
            connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, h2.events.StreamEnded):
            self._respond(connection, event.stream_id or 0)

    def _respond(self, connection: h2.connection.H2Connection, stream: int) -> None:
        answer = self.answer
        bare = not answer.body and answer.trailers is None and answer.reset is None
        connection.send_headers(stream, [(":status", str(answer.status)), *answer.headers], end_stream=bare)
        if bare:
            return
        last = answer.trailers is None and answer.reset is None
        connection.send_data(stream, answer.body, end_stream=last)
        if answer.reset is not None:
            connection.reset_stream(stream, answer.reset)
        elif answer.trailers is not None:
            connection.send_headers(stream, list(answer.trailers), end_stream=True)

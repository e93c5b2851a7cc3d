"""Mesh connections over real sockets: a listener and a dialler that look at each other's leaf before they say a word."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

Verdict = Callable[[ssl.SSLObject], object]


@dataclass
class Service:
    """Echoes bytes to callers that `look` accepts (returns None for); counts what it saw."""

    look: Verdict
    served: int = 0
    refused: list[str] = field(default_factory=list)
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.look(writer.get_extra_info("ssl_object"))
        if fault is not None:
            self.refused.append(str(fault))
            cast(asyncio.Transport, writer.transport).abort()
            return
        with suppress(ConnectionError):
            while data := await reader.read(1024):
                self.served += 1
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(context: ssl.SSLContext, look: Verdict = lambda _session: None) -> AsyncIterator[Service]:
    """A service behind `context`."""
    service = Service(look)
    tasks: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(service.answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context, ssl_handshake_timeout=20)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@dataclass
class Line:
    """A connection that stands."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def session(self) -> ssl.SSLObject:
        return cast(ssl.SSLObject, self.writer.get_extra_info("ssl_object"))

    async def ask(self, data: bytes = b"ping") -> bytes:
        """One round trip. Raises ConnectionError when the other end is gone."""
        self.writer.write(data)
        await self.writer.drain()
        answer = await self.reader.read(len(data))
        if answer != data:
            raise ConnectionError("no answer")
        return answer

    async def end(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


async def call(port: int, context: ssl.SSLContext) -> Line:
    """Dial. Raises OSError, ssl.SSLError among them."""
    return Line(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=""))

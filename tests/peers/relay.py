"""A TCP relay in the test's loop: a loopback service at another address of this machine, or through which a connection can be cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


def own_address() -> str | None:
    """An address of this machine that is no loopback one, None without a network. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


@asynccontextmanager
async def relayed(host: str, to_port: int, port: int = 0) -> AsyncIterator[int]:
    """Listen at `host`, pass everything on to 127.0.0.1:`to_port`; gives the port."""
    open_now: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", to_port)
        for source, sink in ((reader, back_writer), (back_reader, writer)):
            task = asyncio.create_task(_copy(source, sink))
            open_now.add(task)
            task.add_done_callback(open_now.discard)

    server = await asyncio.start_server(one, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
    finally:
        sink.close()

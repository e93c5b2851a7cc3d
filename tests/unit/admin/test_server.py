"""The admin listener over real sockets: right answers, and bounds that hold."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from edge.admin.pages import Pages
from edge.admin.server import AdminServer

Exposition = Callable[[str], Awaitable[tuple[str, bytes]]]


async def exposition(accept: str) -> tuple[str, bytes]:
    return f"text/plain; for={accept}", b"edge_up 1\n" * 100_000


async def huge(accept: str) -> tuple[str, bytes]:
    """More than a kernel takes from us while nobody reads."""
    return "text/plain", bytes(64 << 20)


def no_reasons() -> Sequence[str]:
    return ()


def broken() -> object:
    raise RuntimeError("bug")


@asynccontextmanager
async def serving(
    timeout_s: float = 5.0, max_connections: int = 64, metrics: Exposition = exposition
) -> AsyncIterator[int]:
    """A running server's port."""
    sock = socket.create_server(("127.0.0.1", 0))
    pages = Pages(no_reasons, metrics, {"/broken": broken})
    server = AdminServer(sock, pages, timeout_s=timeout_s, max_connections=max_connections)
    await server.start()
    try:
        yield sock.getsockname()[1]
    finally:
        await server.close()


async def ask(port: int, request: bytes) -> bytes:
    """Everything the server sends until it closes; nothing when it cuts the connection off."""
    async with connection(port) as (reader, writer):
        writer.write(request)
        return await rest(reader)


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionResetError:
        return b""


async def test_an_independent_client_is_answered() -> None:
    async with serving() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        health = await client.get("/healthz?x=1")
        metrics = await client.get("/metrics", headers={"Accept": "text/x"})
        head = await client.head("/metrics")
        missing = await client.get("/nothing")
        changed = await client.post("/metrics", json={})
    assert (health.status_code, health.text) == (200, "ok\n")
    assert (metrics.headers["content-type"], len(metrics.content)) == ("text/plain; for=text/x", 1_000_000)
    assert (head.headers["content-length"], head.content) == ("1000000", b"")
    assert (missing.status_code, missing.json()["code"]) == (404, 5)
    assert (changed.status_code, changed.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET  /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/2.0\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 20_000, 431),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    ],
)
async def test_whatever_is_sent_gets_a_whole_answer(request_: bytes, status: int) -> None:
    async with serving() as port:
        answer = await ask(port, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    if status != 200:
        assert set(json.loads(body)) == {"code", "message", "details"}


async def test_a_client_that_sends_too_slowly_is_cut_off() -> None:
    async with serving(timeout_s=0.1) as port:
        assert await ask(port, b"GET /healthz HTTP/1.1\r\n") == b""


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """The page is larger than what the kernel takes; the server gives up and is free again."""
    async with serving(timeout_s=0.2, max_connections=1, metrics=huge) as port:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            slow.connect(("127.0.0.1", port))
            slow.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            async with asyncio.timeout(20):
                while not (await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 "):
                    await asyncio.sleep(0.05)


async def test_connections_past_the_limit_are_refused_and_the_others_go_on() -> None:
    async with serving(max_connections=1) as port, connection(port) as (reader, writer):
        writer.write(b"GET /healthz ")
        await asyncio.sleep(0.05)
        assert await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n") == b""
        writer.write(b"HTTP/1.1\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    """The task that served it has ended, else the next client would be refused."""
    async with serving(max_connections=1) as port:
        async with connection(port) as (_, writer):
            writer.write(b"GET /met")
        await asyncio.sleep(0.05)
        assert (await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_closing_cuts_off_who_is_still_there() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz")
        await asyncio.sleep(0.05)
    assert await rest(reader) == b""
    writer.close()

"""A small HTTP server that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Where it is, and the requests so far."""

    url: str = ""
    asked: list[web.BaseRequest] = field(default_factory=list)


@asynccontextmanager
async def answering(answer: Answering, path: str | None = None) -> AsyncIterator[Server]:
    """Serve on a free port, or on a Unix socket."""
    server = Server()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        server.asked.append(request)
        return await answer(request)

    runner = web.ServerRunner(web.Server(handle, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    site: web.BaseSite = web.UnixSite(runner, path) if path else web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = path or f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()

"""
The admin listener's sockets: one small HTTP/1.1 request per connection, then it is closed.

Owns its bounds: so many connections, so many bytes of head, so many seconds in all. A client that is slow, greedy or broken
costs one of those and nothing else. It shares no code with the ingress, so that it answers when that does not.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from http import HTTPStatus

import structlog

from edge.admin.pages import Page, Pages, refusal
from edge.outcome import Fault

_MAX_HEAD_BYTES = 8 * 1024
_MAX_CONNECTIONS = 64
_TIMEOUT_S = 10.0

_log = structlog.get_logger("edge.admin")


class AdminServer:
    """Serves `pages` on a listening socket, which is its to close."""

    def __init__(
        self,
        sock: socket.socket,
        pages: Pages,
        *,
        timeout_s: float = _TIMEOUT_S,
        max_connections: int = _MAX_CONNECTIONS,
    ) -> None:
        self._sock = sock
        self._pages = pages
        self._timeout_s = timeout_s
        self._max_connections = max_connections
        self._running: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to answer."""
        self._server = await asyncio.start_server(self._accepted, sock=self._sock, limit=_MAX_HEAD_BYTES)

    async def close(self) -> None:
        """Stop, and cut off whatever still runs."""
        if self._server is not None:
            self._server.close()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._server is not None:
            await self._server.wait_closed()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._running) >= self._max_connections:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer. Every way out leaves the connection closed."""
        try:
            async with asyncio.timeout(self._timeout_s):
                page, is_head = await self._exchange(reader)
                writer.write(_encoded(page, is_head=is_head))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client is gone or too slow: there is nobody to tell
        finally:
            writer.transport.abort()  # harmless once it is closed

    async def _exchange(self, reader: asyncio.StreamReader) -> tuple[Page, bool]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return refusal(Fault.HEADERS_TOO_LARGE), False
        line, *fields = head.decode("latin-1").split("\r\n")
        parts = line.split(" ")
        if len(parts) != 3 or not parts[1].startswith("/") or not parts[2].startswith("HTTP/1."):
            return refusal(Fault.MALFORMED_REQUEST), False
        method, target, _ = parts
        return await self._page(method, target.partition("?")[0], _accept(fields)), method == "HEAD"

    async def _page(self, method: str, path: str, accept: str) -> Page:
        try:
            return await self._pages.answer(method, path, accept)
        except Exception:  # noqa: BLE001  # a page's own bug must not look like a dead gateway
            _log.exception("admin page failed", path=path)
            return refusal(Fault.INTERNAL)


def _accept(fields: list[str]) -> str:
    """The value of the Accept header, empty when absent."""
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "accept":
            return value.strip()
    return ""


def _encoded(page: Page, *, is_head: bool) -> bytes:
    phrase = ""
    with suppress(ValueError):
        phrase = HTTPStatus(page.status).phrase
    headers = (
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
        *page.headers,
    )
    head = f"HTTP/1.1 {page.status:d} {phrase}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode("latin-1") + b"\r\n" + (b"" if is_head else page.body)

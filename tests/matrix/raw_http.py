"""
An HTTP/1.1 client that sends a request target as it is given.

Every ordinary client tidies `..`, escapes and backslashes away before they reach the wire; these tests are about them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class RawReply:
    """An answer's status, headers (names in lower case, the last of equal ones) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RawClient:
    """One request after the other to a loopback port, over one connection as long as the other side keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> RawReply:
        """Send a request and read its whole answer, within 15 s."""
        async with asyncio.timeout(15):
            reader, writer = self._streams = self._streams or await asyncio.open_connection("127.0.0.1", self._port)
            fields = {"host": "localhost", **headers}
            if body is not None:
                fields["content-length"] = str(len(body))
            head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(head.encode("latin-1") + b"\r\n" + (body or b""))
            reply = await _reply(reader, bodiless=method == "HEAD")
        if reply.headers.get("connection") == "close":
            await self._close()
        return reply

    async def _close(self) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            await writer.wait_closed()


async def _reply(reader: asyncio.StreamReader, *, bodiless: bool) -> RawReply:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    return RawReply(int(lines[0].split()[1]), headers, b"" if bodiless else await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body

"""
Readers that ask on every stream they may open and let nothing of any body be sent (R12, CVE-2019-9517).

Owns the account of each stream: when its head came (the answer is there, and held from then on), and when the server gave it up.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.resilience.h2_attacks import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    block,
    frame,
)

_NO_WINDOW = frame(SETTINGS, payload=b"\0\4\0\0\0\0")
_WIDE = frame(WINDOW_UPDATE, payload=(2**30).to_bytes(4, "big"))
_GRPC = block(
    "POST", "/bookstore.v1.Laboratory/EchoSpecimen", (b"content-type", b"application/grpc"), (b"te", b"trailers")
)


def asking(streams: int, get: bytes = GET, *, grpc: bool = True) -> bytes:
    """Requests on so many streams; every other one is gRPC, if `grpc`."""
    asked = [PREFACE, _NO_WINDOW, _WIDE]
    for number in range(streams):
        stream = 2 * number + 1
        if number % 2 or not grpc:
            asked.append(frame(HEADERS, END_HEADERS | END_STREAM, stream, get))
        else:
            asked += [frame(HEADERS, END_HEADERS, stream, _GRPC), frame(DATA, END_STREAM, stream, bytes(5))]
    return b"".join(asked)


@dataclass
class Held:
    """One connection's streams: seconds on the monotonic clock, by stream."""

    headed: dict[int, float] = field(default_factory=dict)
    given_up: dict[int, float] = field(default_factory=dict)

    def note(self, kind: int, stream: int) -> None:
        """A frame came; the end of a connection is the end of all its streams."""
        now = time.monotonic()
        if kind == HEADERS:
            self.headed.setdefault(stream, now)
        elif kind == RST_STREAM:
            self.given_up.setdefault(stream, now)
        elif kind == GOAWAY:
            for each in self.headed:
                self.given_up.setdefault(each, now)

    @property
    def waited_s(self) -> list[float]:
        """From the head to the end, for each stream that had both."""
        return [end - self.headed[stream] for stream, end in self.given_up.items() if stream in self.headed]


async def hold(port: int, data: bytes, streams: int, within_s: float, context: ssl.SSLContext | None = None) -> Held:
    """Ask, and wait for the end of every stream."""
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    held, buffered = Held(), b""
    try:
        writer.write(data)
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(within_s):
                while len(held.given_up) < streams and (more := await reader.read(65536)):
                    buffered = _note_frames(held, buffered + more)
        for stream in held.headed:  # closed without a word
            if reader.at_eof():
                held.given_up.setdefault(stream, time.monotonic())
    finally:
        writer.transport.abort()
    return held


def _note_frames(held: Held, data: bytes) -> bytes:
    while len(data) >= 9 and len(data) >= 9 + (size := int.from_bytes(data[:3], "big")):
        held.note(data[3], int.from_bytes(data[5:9], "big"))
        data = data[9 + size :]
    return data

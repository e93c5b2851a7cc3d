"""
Bodies of gRPC, gRPC-Web and Connect that cost more than they should, or are not what they say (reliability.md E3, R22).

`ATTACKS` lists each with the content type it is sent under; all of them must be refused.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import brotli
import zstandard

UNARY, STREAM = "/bookstore.v1.Laboratory/EchoSpecimen", "/bookstore.v1.Feeds/Count"
BOMB_BYTES = 256 * 1024 * 1024
DEEP = 10_000


def framed(payload: bytes, flags: int = 0, length: int | None = None) -> bytes:
    """A frame, whose length may lie."""
    return bytes((flags,)) + (len(payload) if length is None else length).to_bytes(4, "big") + payload


@cache
def gzip_bomb() -> bytes:
    """A quarter of a GiB of zeros."""
    return gzip.compress(bytes(BOMB_BYTES), 1)


@cache
def zstd_bomb() -> bytes:
    """A GiB of zeros, as runs."""
    packer = zstandard.ZstdCompressor().compressobj()
    zeros = bytes(2**20)
    return b"".join([*(packer.compress(zeros) for _ in range(1024)), packer.flush()])


@cache
def brotli_bomb() -> bytes:
    """64 MiB of zeros."""
    return bytes(brotli.compress(bytes(64 * 2**20), quality=1))


def nested_any(depth: int = DEEP) -> bytes:
    """An Any in an Any in an Any, in JSON."""
    kind = json.dumps("type.googleapis.com/google.protobuf.Any")
    return b'{"anyValue":' + b'{"@type":%s,"value":' % kind.encode() * depth + b"{}" + b"}" * (depth + 1)


@dataclass(frozen=True)
class MessageAttack:
    """`body` is made when it is sent: some are costly."""

    name: str
    content_type: str
    body: Callable[[], bytes]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Of an RPC the dialect speaks under this content type."""
        return STREAM if "connect+" in self.content_type else UNARY


_STREAMED = {
    "gRPC": ("application/grpc", "grpc-encoding"),
    "gRPC-Web": ("application/grpc-web+proto", "grpc-encoding"),
    "Connect stream": ("application/connect+proto", "connect-content-encoding"),
}
_FRAMES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a length of 4 GiB": (lambda: framed(b"x" * 100, length=2**32 - 1), ""),
    "a length over the limit": (lambda: framed(b"x" * 100, length=2**23), ""),
    "half a prefix": (lambda: b"\0\0\0", ""),
    "a truncated message": (lambda: framed(b"x" * 10, length=100), ""),
    "compressed without a coding": (lambda: framed(gzip.compress(b"x"), 1), ""),
    "compressed, and is not": (lambda: framed(b"not gzip at all", 1), "gzip"),
    "compressed, cut short": (lambda: framed(gzip.compress(b"x" * 1000)[:-9], 1), "gzip"),
    "an unknown coding": (lambda: framed(b"x", 1), "made-up"),
    "a gzip bomb": (lambda: framed(gzip_bomb(), 1), "gzip"),
    "a layered gzip bomb": (lambda: framed(gzip.compress(gzip.compress(gzip_bomb())), 1), "gzip, gzip"),
    "a zstd bomb": (lambda: framed(zstd_bomb(), 1), "zstd"),
}


def _all() -> list[MessageAttack]:
    found = []
    for dialect, (content_type, coding_header) in _STREAMED.items():
        for name, (body, coding) in _FRAMES.items():
            headers = {coding_header: coding} if coding else {}
            found.append(MessageAttack(f"{dialect}: {name}", content_type, body, headers))
    text = "application/grpc-web-text"
    found += [
        MessageAttack("gRPC-Web text: no base64", text, lambda: b"\0\0\0\0\0"),
        MessageAttack(
            "gRPC-Web text: a length of 4 GiB", text, lambda: base64.b64encode(framed(b"", length=2**32 - 1))
        ),
        MessageAttack("gRPC-Web text: cut base64", text, lambda: base64.b64encode(framed(b"ab"))[:-3]),
    ]
    bombs = {"gzip": gzip_bomb, "zstd": zstd_bomb, "br": brotli_bomb}
    for coding, bomb in bombs.items():
        found.append(
            MessageAttack(f"Connect: a {coding} bomb", "application/proto", bomb, {"content-encoding": coding})
        )
    layered = {"content-encoding": "gzip, gzip"}
    found += [
        MessageAttack("Connect: a layered bomb", "application/proto", lambda: gzip.compress(gzip_bomb()), layered),
        MessageAttack("Connect: Any in Any", "application/json", nested_any),
    ]
    return found


ATTACKS = _all()

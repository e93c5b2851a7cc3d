"""
Headers by which a mesh or a gateway says who is calling never come from outside: unary and streaming, HTTP/1.1 and HTTP/2.

Unary calls in every dialect are in test_one_decision.py; here are the other ways in: prefixed names, capitals, streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from websockets.asyncio.client import connect

from tests.gateway import RunningGateway, running_bookstore
from tests.matrix.rest_site import compiled
from tests.matrix.test_one_decision import FORGED
from tests.upstreams.recorder import Recorder, Reply

COUNT = "/bookstore.v1.Feeds/Count"
FRAME = b"\0\0\0\0\0"
SPELLED = [
    *FORGED.items(),
    *((f"grpc-metadata-{name}", value) for name, value in FORGED.items()),
    *((name.upper(), value) for name, value in FORGED.items()),
]
"""As they are, by grpc-gateway's prefix, and in capitals (of which HTTP/1.1 makes nothing)."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[RunningGateway, Recorder]]:
    async with Recorder() as upstream:
        upstream.default = Reply(messages=[b""])
        api = {**compiled(tmp_path), "websocket": True}
        async with running_bookstore(tmp_path, upstream.port, api=api) as gateway:
            yield gateway, upstream


def nothing_forged(upstream: Recorder) -> None:
    (call,) = upstream.calls
    forged = [(name, value) for name, value in call.metadata if "forged" in str(value)]
    assert forged == []


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/shelves/1", ""),
        ("POST", "/v1/lab/specimen", "application/json"),
        ("POST", COUNT, "application/grpc-web+proto"),
        ("POST", COUNT, "application/connect+proto"),
        ("POST", "/bookstore.v1.Bookstore/GetShelf", "application/proto"),
    ],
)
async def test_over_http(site: tuple[RunningGateway, Recorder], method: str, path: str, kind: str) -> None:
    """REST, gRPC-Web and Connect, with every spelling at once."""
    gateway, upstream = site
    body = b"" if method == "GET" else FRAME if path == COUNT else b"{}" if kind == "application/json" else b""
    headers = [*SPELLED, *((("content-type", kind),) if kind else ())]
    async with gateway.client() as client:
        await client.request(method, path, headers=httpx.Headers(headers), content=body)
    nothing_forged(upstream)


async def test_over_grpc_streams(site: tuple[RunningGateway, Recorder]) -> None:
    """HTTP/2: a server stream."""
    gateway, upstream = site
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        call: Any = channel.unary_stream(COUNT, None, None)(b"", metadata=tuple(FORGED.items()))
        async for _ in call:
            pass
    nothing_forged(upstream)


async def test_over_websocket(site: tuple[RunningGateway, Recorder]) -> None:
    """The handshake's headers."""
    gateway, upstream = site
    target = f"ws://127.0.0.1:{gateway.port}{COUNT}"
    async with connect(target, subprotocols=["edge.proto"], additional_headers=SPELLED, proxy=None) as socket:  # type: ignore[list-item]  # a NewType of str
        await socket.send(b"")
        async for _ in socket:
            pass
    nothing_forged(upstream)

"""
The laboratory's JSON echo behind a whole gateway: what a `google.protobuf.Value` makes of a body, end to end and in the codec alone.

    async with json_echo(tmp_path) as echo:
        answer = await echo.post(b"[1]")        # through HTTP, the codec, an upstream, and back
        assert echo.refusal_of(answer)["reason"] == ...
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from edge.app import load_snapshot
from edge.config.load import load_config
from edge.routes import Missing
from edge.wire.codec import BindingError, MethodCodec
from tests.gateway import RunningGateway, running_bookstore
from tests.upstreams.recorder import Recorder, Reply

PATH = "/v1/lab/specimen:json"
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class JsonEcho:
    """A gateway, a client of it, the recording upstream behind it, and the codec of the echo's binding."""

    gateway: RunningGateway
    client: httpx.AsyncClient
    upstream: Recorder
    codec: MethodCodec

    async def post(self, body: bytes) -> httpx.Response:
        """Send a body as JSON."""
        return await self.client.post(PATH, content=body, headers=JSON)

    def codec_ms(self, body: bytes, tries: int = 5) -> float:
        """The codec's CPU time alone, the best of some: a shared machine only ever adds to it."""
        return min(self._once_ms(body) for _ in range(tries))

    def _once_ms(self, body: bytes) -> float:
        started = time.thread_time()
        with suppress(BindingError):  # most of what is timed here is refused
            self.codec.request((), "", body, "application/json")
        return (time.thread_time() - started) * 1000


@asynccontextmanager
async def json_echo(folder: Path) -> AsyncIterator[JsonEcho]:
    """The echo, served."""
    async with (
        Recorder(default=lambda call: Reply(call.message)) as upstream,
        running_bookstore(folder, upstream.port) as gateway,
        gateway.client() as client,
    ):
        match = load_snapshot(load_config(folder / "edge.yaml", {})).routes.lookup("POST", PATH)
        assert not isinstance(match, Missing)
        yield JsonEcho(gateway, client, upstream, match.value.codec)


def refusal(answer: httpx.Response) -> str:
    """The message of a 400, which must be a whole google.rpc.Status: INVALID_ARGUMENT, ErrorInfo and the field to blame."""
    assert answer.status_code == 400, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/json"
    status: dict[str, Any] = answer.json()
    info, bad = status["details"]
    assert status["code"] == 3
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "INVALID_ARGUMENT",
        "domain": "edge-gateway",
    }
    assert bad["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert bad["fieldViolations"]
    return str(status["message"])

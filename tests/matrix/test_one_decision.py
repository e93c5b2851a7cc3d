"""
One RPC through every dialect: the service gets the same message and the same metadata, and every client the same answer.

Generated messages through REST, gRPC, gRPC-Web (binary and text), Connect (JSON and proto) and WebSocket (JSON and proto), over HTTP/1.1
and, for gRPC, HTTP/2. What may differ in metadata is written down: a dialect's own headers and the client library's name.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format
from websockets.asyncio.client import connect

from tests.gateway import running_bookstore
from tests.matrix.requests import specimen
from tests.matrix.rest_site import compiled
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Recorded, Recorder, Reply

COUNT = 40
RPC = "/bookstore.v1.Laboratory/EchoSpecimen"
SENT = {
    "authorization": "Bearer t",
    "traceparent": "00-1-2-01",
    "x-colour": "red",
}
FORGED = dict.fromkeys(
    (
        "x-forwarded-client-cert",
        "l5d-client-id",
        "l5d-dst-override",
        "l5d-timeout",
        "l5d-retry-limit",
        "x-consul-token",
        "x-consul-default-acl-policy",
        "x-envoy-peer-metadata",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-max-retries",
        "x-istio-attributes",
        "x-ssl-client-verify",
        "x-tenant",
        "x-tenant-id",
        "x-edge-principal",
        "edge-subject",
    ),
    "forged",
)
"""What only a mesh or we may say of a caller."""
SENT |= FORGED
OWN = {
    "user-agent",
    "x-forwarded-user-agent",
    "x-request-id",
    "x-forwarded-host",
    "accept",
    "grpc-accept-encoding",
    "te",
    "x-user-agent",
}
"""Metadata that differs by nature: the client library's name and preferences, ids and hosts made per request."""

Ask = Callable[[Any, dict[str, Any]], Awaitable[Any]]


class Dialects:
    """Ways to make the same call; each gives back the answer as a message."""

    def __init__(self, port: int, client: httpx.AsyncClient, channel: Any) -> None:
        self._port = port
        self._client = client
        self._channel = channel
        self.ways: dict[str, Ask] = {
            "rest": self.rest,
            "grpc": self.grpc,
            "grpc-web": self.grpc_web,
            "grpc-web-text": self.grpc_web_text,
            "connect-json": self.connect_json,
            "connect-proto": self.connect_proto,
            "websocket-json": self.websocket_json,
            "websocket-proto": self.websocket_proto,
        }

    async def _post(self, path: str, content_type: str, body: bytes, **headers: str) -> bytes:
        answer = await self._client.post(path, content=body, headers={**SENT, "content-type": content_type, **headers})
        assert answer.status_code == 200, answer.text
        return answer.content

    async def rest(self, message: Any, value: dict[str, Any]) -> Any:
        return from_json(await self._post("/v1/lab/specimen", "application/json", json.dumps(value).encode()))

    async def grpc(self, message: Any, value: dict[str, Any]) -> Any:
        call = self._channel.unary_unary(RPC, None, None)
        return from_bytes(await call(message.SerializeToString(), metadata=tuple(SENT.items())))

    async def grpc_web(self, message: Any, value: dict[str, Any]) -> Any:
        return from_frame(await self._post(RPC, "application/grpc-web+proto", frame(message)))

    async def grpc_web_text(self, message: Any, value: dict[str, Any]) -> Any:
        body = base64.b64encode(frame(message))
        return from_frame(base64.b64decode(await self._post(RPC, "application/grpc-web-text+proto", body)))

    async def connect_json(self, message: Any, value: dict[str, Any]) -> Any:
        body = json.dumps(value).encode()
        return from_json(await self._post(RPC, "application/json", body, **{"connect-protocol-version": "1"}))

    async def connect_proto(self, message: Any, value: dict[str, Any]) -> Any:
        return from_bytes(await self._post(RPC, "application/proto", message.SerializeToString()))

    async def websocket_json(self, message: Any, value: dict[str, Any]) -> Any:
        async with self._socket("edge.json") as socket:
            await socket.send(json.dumps(value))
            return from_json(await socket.recv())

    async def websocket_proto(self, message: Any, value: dict[str, Any]) -> Any:
        async with self._socket("edge.proto") as socket:
            await socket.send(message.SerializeToString())
            return from_bytes(await socket.recv())

    def _socket(self, protocol: Any) -> connect:
        target = f"ws://127.0.0.1:{self._port}{RPC}"
        return connect(target, subprotocols=[protocol], additional_headers=SENT, proxy=None, compression=None)


def frame(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4, "big") + data


def from_frame(data: bytes) -> Any:
    return from_bytes(data[5 : 5 + int.from_bytes(data[1:5], "big")])


def from_bytes(data: Any) -> Any:
    return known().Specimen.FromString(data)


def from_json(text: str | bytes) -> Any:
    return json_format.Parse(text, known().Specimen(), descriptor_pool=known().pool)


def facts(call: Recorded) -> dict[str, Any]:
    """What the service was told, but for what differs by nature."""
    return {name: value for name, value in call.metadata if name not in OWN}


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as upstream:
        upstream.default = lambda call: Reply(call.message)
        yield upstream


async def test_every_dialect_is_the_same_call(tmp_path: Path, recorder: Recorder) -> None:
    """The same RPC, message and metadata reach the service; forged identities reach it from none."""
    rand = random.Random(3)
    api = {**compiled(tmp_path), "websocket": True}
    async with (
        running_bookstore(tmp_path, recorder.port, api=api) as gateway,
        gateway.client() as client,
        grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel,
    ):
        dialects = Dialects(gateway.port, client, channel)
        for _ in range(COUNT):
            value = specimen(rand)
            message = from_json(json.dumps(value))
            told = {}
            for name, ask in dialects.ways.items():
                recorder.calls.clear()
                assert await ask(message, value) == message, name
                assert (recorder.last.path, from_bytes(recorder.last.message)) == (RPC, message), name
                told[name] = facts(recorder.last)
            assert all(each == told["rest"] for each in told.values()), told
    assert {"authorization", "traceparent", "x-colour", "x-forwarded-for"} <= told["rest"].keys()
    assert not FORGED.keys() & told["rest"].keys()

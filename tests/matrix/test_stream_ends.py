"""How streams end that nobody ends: at rest too long, or read by nobody past their deadline."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes
from websockets.asyncio.client import connect

from tests.gateway import bookstore_config, running
from tests.matrix.rest_site import compiled
from tests.matrix.rpc_site import BOTH, talking
from tests.matrix.test_rest_stream import COUNT, number
from tests.matrix.test_websocket import rest_of
from tests.upstreams.streaming import streaming

IDLE_S = 4.0
IDLE = {"stream_idle_timeout": f"{IDLE_S}s"}
LINES, EVENTS = "application/x-ndjson", "text/event-stream"


async def test_a_grpc_stream_at_rest_is_unavailable(tmp_path: Path) -> None:
    """Not before it rests: a message of either side gives it another while. The service's stream is reset."""
    async with talking(tmp_path, limits=IDLE) as site:
        both = site.channel.stream_stream(BOTH)()
        for _ in range(3):
            await asyncio.sleep(IDLE_S * 0.4)
            await both.write(b"m")
            assert await both.read() == b"<m"
        began_s = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await both.read()
        assert 0.8 * IDLE_S < time.monotonic() - began_s < 15
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        trailing: Any = caught.value.trailing_metadata()
        info = ErrorInfo()
        assert Status.FromString(trailing["grpc-status-details-bin"]).details[0].Unpack(info)
        assert info.reason == "STREAM_IDLE"
        async with asyncio.timeout(5):
            while not site.talker.over:
                await asyncio.sleep(0.01)


async def silent(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    yield number(1)
    await asyncio.sleep(60)


@pytest.mark.parametrize("accept", ["application/json", LINES, EVENTS])
async def test_a_rest_stream_at_rest_ends_in_its_form(tmp_path: Path, accept: str) -> None:
    """An error line, an error event, an array cut short; heartbeats do not keep it alive."""
    api = {"streaming": {"heartbeat": "100ms"}, **compiled(tmp_path)}
    async with (
        streaming(silent) as port,
        running(tmp_path, bookstore_config(tmp_path, port, api=api, limits=IDLE)) as gateway,
    ):
        curl = await asyncio.create_subprocess_exec(
            "curl", "-sN", "--max-time", "30", "-H", f"accept: {accept}", gateway.url + COUNT,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        out, _ = await curl.communicate()
        if accept == "application/json":
            assert (curl.returncode, out) == (18, b'[{"number":1}')
        else:
            assert curl.returncode == 0
            assert b'"reason":"STREAM_IDLE"' in out
        assert (b"\n:\n\n" in out) == (accept == EVENTS)
        line = await gateway.logged()
        assert (line["status"], line["grpc_code"]) == (200, "UNAVAILABLE")


async def test_a_websocket_at_rest_is_closed_with_the_status(tmp_path: Path) -> None:
    """Pings do not keep the call alive: they are about the connection."""
    api = {"websocket": {"ping_interval": "100ms"}, **compiled(tmp_path)}
    async with (
        streaming(silent) as port,
        running(tmp_path, bookstore_config(tmp_path, port, api=api, limits=IDLE)) as gateway,
        connect(f"ws://127.0.0.1:{gateway.port}{COUNT}", proxy=None, compression=None) as ws,
    ):
        _, code, _ = await asyncio.wait_for(rest_of(ws), 10)
        assert code == 4014


async def flooding(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    """More than any buffer on the way holds."""
    message: bytes = HttpBody(content_type="text/csv", data=bytes(100_000)).SerializeToString()
    while True:
        yield message


EXPORT = "/v1/books:export"


def _h1_request() -> bytes:
    return f"GET {EXPORT} HTTP/1.1\r\nHost: e\r\nGrpc-Timeout: 500m\r\n\r\n".encode()


def _h2_request() -> bytes:
    """On a stream whose window is shut."""
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    target = [(":method", "GET"), (":path", EXPORT), (":scheme", "http"), (":authority", "e")]
    client.send_headers(1, [*target, ("grpc-timeout", "500m")], end_stream=True)
    return client.data_to_send()


@pytest.mark.parametrize("request_bytes", [_h1_request(), _h2_request()], ids=["HTTP/1.1", "HTTP/2"])
async def test_a_reader_that_stands_still_does_not_outlive_its_deadline(tmp_path: Path, request_bytes: bytes) -> None:
    """The write timeout, 30 s, is for those that have no deadline; the log tells of the deadline, and the service is told."""
    async with (
        streaming(flooding) as port,
        running(tmp_path, bookstore_config(tmp_path, port, api=compiled(tmp_path))) as gateway,
    ):
        began_s = time.monotonic()
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1)
        writer.write(request_bytes)
        line = await gateway.logged()
        assert time.monotonic() - began_s < 20
        assert line["grpc_code"] == "DEADLINE_EXCEEDED"
        writer.transport.abort()

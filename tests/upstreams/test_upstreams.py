"""The upstreams do what their docstrings say."""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

import grpc
import pytest

from tests.upstreams.bookstore import BookstoreProcess
from tests.upstreams.faulty import Faulty
from tests.upstreams.fixtures import hanging, mortal, recorder, single, threaded_recorder  # noqa: F401  # fixtures
from tests.upstreams.plain import Plain, Scripted
from tests.upstreams.recorder import Recorder, Reply, ThreadedRecorder

PATH = "/any.Service/Method"
SETTINGS, GOAWAY = 4, 7
MAX_CONCURRENT_STREAMS = 3


def unary(channel: Any) -> Any:
    return channel.unary_unary(PATH, None, None)


async def test_a_recorder_keeps_what_arrived_and_answers_as_told(recorder: Recorder) -> None:  # noqa: F811  # a fixture
    recorder.replies[PATH] = Reply(b"answer", headers=(("x-h", "1"),), trailers=(("x-t-bin", b"\x00"),))
    async with grpc.aio.insecure_channel(recorder.address) as channel:
        call = unary(channel)(b"question", metadata=(("k", "v"), ("b-bin", b"\xff")), timeout=30)
        assert await call == b"answer"
        assert dict(await call.initial_metadata())["x-h"] == "1"
        assert dict(await call.trailing_metadata())["x-t-bin"] == b"\x00"
    assert (recorder.last.path, recorder.last.message) == (PATH, b"question")
    assert recorder.last.values("k") == ["v"]
    assert recorder.last.values("b-bin") == [b"\xff"]
    assert 20 < (recorder.last.time_remaining_s or 0) < 30.5  # grpcio rounds a deadline up by some milliseconds


async def test_a_recorder_fails_and_computes_as_told(recorder: Recorder) -> None:  # noqa: F811  # a fixture
    recorder.default = lambda call: Reply(code=5, text=f"no {call.message.decode()} é", details=b"raw")
    async with grpc.aio.insecure_channel(recorder.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await unary(channel)(b"x")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert raised.value.details() == "no x é"
    assert dict(cast(Any, raised.value.trailing_metadata()))["grpc-status-details-bin"] == b"raw"


def test_a_threaded_recorder_does_the_same(threaded_recorder: ThreadedRecorder) -> None:  # noqa: F811  # a fixture
    threaded_recorder.default = Reply(b"answer", trailers=(("x-t", "1"),))
    with grpc.insecure_channel(threaded_recorder.address) as channel:
        answer, call = unary(channel).with_call(b"question")
        assert answer == b"answer"
        assert dict(call.trailing_metadata())["x-t"] == "1"
        threaded_recorder.default = Reply(code=9, text="no", details=b"raw")
        with pytest.raises(grpc.RpcError) as raised:
            unary(channel)(b"")
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert dict(cast(Any, raised.value.trailing_metadata()))["grpc-status-details-bin"] == b"raw"
    assert threaded_recorder.calls[0].time_remaining_s is None


def test_a_killed_upstream_comes_back_on_its_port(mortal: Faulty) -> None:  # noqa: F811  # a fixture
    first, address = mortal.pid, mortal.address
    with grpc.insecure_channel(address) as channel:
        assert unary(channel)(b"x", timeout=30) == b"x"
    assert mortal.served() == 1
    mortal.restart()
    assert (mortal.pid != first, mortal.address) == (True, address)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    with grpc.insecure_channel(address) as channel:
        assert unary(channel)(b"x", timeout=30) == b"x"


def test_a_hanging_upstream_begins_calls_and_answers_none(hanging: Faulty) -> None:  # noqa: F811  # a fixture
    with grpc.insecure_channel(hanging.address) as channel, pytest.raises(grpc.RpcError) as raised:
        unary(channel)(b"x", timeout=2.0)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert hanging.served() == 1


def test_a_frozen_upstream_answers_after_it_thaws(mortal: Faulty) -> None:  # noqa: F811  # a fixture
    with grpc.insecure_channel(mortal.address) as channel:
        mortal.freeze()
        with pytest.raises(grpc.RpcError):
            unary(channel)(b"x", timeout=0.2)
        mortal.thaw()
        assert unary(channel)(b"x", timeout=30, wait_for_ready=True) == b"x"


async def settings_and_goaway(address: str, seconds: float) -> tuple[int | None, bool]:
    """MAX_CONCURRENT_STREAMS as announced, and whether GOAWAY came, on a bare connection (RFC 9113 sections 4.1, 6.5, 6.8)."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    max_streams, goaway = None, False
    try:
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]))
        async with asyncio.timeout(seconds):
            while not goaway:
                head = await reader.readexactly(9)
                payload = await reader.readexactly(int.from_bytes(head[:3]))
                goaway = head[3] == GOAWAY
                for place in range(0, len(payload) if head[3] == SETTINGS else 0, 6):
                    if int.from_bytes(payload[place : place + 2]) == MAX_CONCURRENT_STREAMS:
                        max_streams = int.from_bytes(payload[place + 2 : place + 6])
    except (TimeoutError, asyncio.IncompleteReadError):
        pass  # what was seen until then counts
    finally:
        writer.close()
        await writer.wait_closed()
    return max_streams, goaway


async def test_a_single_upstream_announces_one_stream(single: Faulty) -> None:  # noqa: F811  # a fixture
    assert await settings_and_goaway(single.address, 0.3) == (1, False)


async def test_a_restless_upstream_sends_goaway() -> None:
    with Faulty(max_age_s=0.1, max_age_grace_s=0.1) as restless:
        _, goaway = await settings_and_goaway(restless.address, 5)
    assert goaway


async def test_a_plain_upstream_answers_with_http() -> None:
    async with Plain(Scripted(502, (("content-type", "text/html"),), b"<h1>no</h1>")) as upstream:
        async with grpc.aio.insecure_channel(upstream.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await unary(channel)(b"x")
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert upstream.requests[0][":path"] == PATH


def test_the_bookstore_process_keeps_its_port() -> None:
    with BookstoreProcess() as process:
        port = process.port
        process.restart()
        assert process.port == port

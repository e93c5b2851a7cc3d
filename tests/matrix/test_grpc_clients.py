"""grpcio's clients, synchronous and asynchronous, against the gateway: every kind of RPC, metadata, errors, deadlines, cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from tests.matrix.rest_site import Site
from tests.matrix.rpc_site import BOTH, DOWN, HANG, UNARY, UP, talking
from tests.upstreams.recorder import Reply

EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]  # the stubs do not know it


@pytest.fixture
def channel(lab: Site) -> Iterator[Any]:
    """To the gateway before the recorder."""
    with grpc.insecure_channel(f"127.0.0.1:{lab.gateway.port}") as channel:
        yield channel


def failure(call: Any, *given: Any, **options: Any) -> grpc.RpcError:
    """The error a call ends in."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*given, **options)
    return caught.value


def test_bytes_and_metadata_pass_both_ways(lab: Site, channel: Any) -> None:
    """What is no protobuf shows that nothing is decoded; -bin values are bytes at both ends."""
    lab.recorder.default = Reply(
        b"\xff\xfe", headers=(("x-a", "1"), ("x-b-bin", b"\x00\xff")), trailers=(("x-c", "3"), ("x-d-bin", b"\x01"))
    )
    sent = (("x-e", "5"), ("x-f-bin", b"\x00\xfe\xff"), ("x-tenant", "evil"), ("authorization", "Bearer t"))
    reply, call = channel.unary_unary(UNARY).with_call(b"\xfe\xff", metadata=sent)
    assert reply == b"\xff\xfe"
    head, tail = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert (head["x-a"], head["x-b-bin"], tail["x-c"], tail["x-d-bin"]) == ("1", b"\x00\xff", "3", b"\x01")
    last = lab.recorder.last
    assert (last.path, last.message) == (UNARY, b"\xfe\xff")
    assert (last.values("x-e"), last.values("x-f-bin"), last.values("x-tenant")) == (["5"], [b"\x00\xfe\xff"], [])
    assert last.values("authorization") == ["Bearer t"]


def test_errors_keep_code_text_details_and_metadata(lab: Site, channel: Any) -> None:
    """Initial metadata and trailers stay apart even when there is no message between them."""
    details = Status(code=5, message="no \u00e4 % \n")
    details.details.add().Pack(ErrorInfo(reason="WHY", domain="d"))
    lab.recorder.default = Reply(
        code=5,
        text="no \u00e4 % \n",
        details=details.SerializeToString(),
        headers=(("x-a", "1"),),
        trailers=(("x-c", "3"),),
    )
    error: Any = failure(channel.unary_unary(UNARY), b"")
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no \u00e4 % \n")
    assert rpc_status.from_call(error) == details
    assert dict(error.initial_metadata())["x-a"] == "1"
    assert "x-a" not in dict(error.trailing_metadata())
    assert dict(error.trailing_metadata())["x-c"] == "3"
    lab.recorder.default = Reply(code=5, text="bare", trailers=(("x-c", "3"),))
    error = failure(channel.unary_unary(UNARY), b"")
    assert (error.details(), dict(error.trailing_metadata())["x-c"]) == ("bare", "3")


def test_a_deadline_is_forwarded_and_kept(lab: Site, channel: Any) -> None:
    """D2, D3."""
    channel.unary_unary(UNARY)(b"", timeout=10)
    left_s = lab.recorder.last.time_remaining_s
    assert left_s is not None
    assert 5.0 < left_s <= 10.05
    lab.recorder.default = Reply(delay_s=6.0)
    began_s = time.monotonic()
    error: Any = failure(channel.unary_unary(UNARY), b"", timeout=0.3)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began_s < 5.5  # before the service would have answered


def test_compressed_messages_reach_the_service_inflated(lab: Site, channel: Any) -> None:
    """The upstream connection has its own coding."""
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        assert channel.unary_unary(UNARY)(b"x" * 5000, compression=compression) == b"x" * 5000
        assert lab.recorder.last.message == b"x" * 5000


def test_what_the_gateway_refuses_has_a_reason(lab: Site, channel: Any) -> None:
    """Unknown methods and messages over the limit, with ErrorInfo; nothing reaches the service."""
    for path, message, code, reason in (
        ("/bookstore.v1.Nothing/Here", b"", grpc.StatusCode.UNIMPLEMENTED, "RPC_UNKNOWN"),
        (UNARY, bytes(5 * 1024 * 1024), grpc.StatusCode.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE"),
    ):
        error: Any = failure(channel.unary_unary(path), message)
        assert error.code() is code
        info = ErrorInfo()
        assert rpc_status.from_call(error).details[0].Unpack(info)
        assert (info.reason, info.domain) == (reason, "edge-gateway")
    assert lab.recorder.calls == []


async def test_a_service_that_is_down_is_unavailable_with_a_delay(tmp_path: Path) -> None:
    """RetryInfo says what Retry-After says in REST."""
    async with talking(tmp_path, upstreams={"bookstore": {"endpoints": ["127.0.0.1:1"]}}) as site:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await site.channel.unary_unary(UNARY)(b"")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        trailing: Any = caught.value.trailing_metadata()
        encoded = trailing["grpc-status-details-bin"]
        assert Status.FromString(encoded).details[1].Unpack(RetryInfo())


async def test_every_kind_of_rpc(tmp_path: Path) -> None:
    """Unary, both one-way streams, and a dialogue in which each message is answered before the next is sent."""
    async with talking(tmp_path) as site:
        channel = site.channel
        assert await channel.unary_unary(UNARY)(b"m") == b"<m"
        site.talker.closing = b"end"
        assert [message async for message in channel.unary_stream(DOWN)(b"m")] == [b"<m", b"end"]
        site.talker.heard.clear()
        up = channel.stream_unary(UP)(iter([b"1", b"", b"3"]))
        assert await up == b"end"
        assert site.talker.heard == [b"1", b"", b"3"]
        both = channel.stream_stream(BOTH)()
        for message in (b"1", b"", b"x" * 300_000):
            await both.write(message)
            assert await both.read() == b"<" + message
        await both.done_writing()
        assert await both.read() == b"end"
        assert await both.read() is EOF
        assert dict(await both.initial_metadata())["x-path"] == BOTH
        assert dict(await both.trailing_metadata())["x-count"] == "6"
        assert await both.code() is grpc.StatusCode.OK


async def test_a_client_that_cancels_cancels_the_service(tmp_path: Path) -> None:
    """S6: soon, for a stream and for a unary call."""
    async with talking(tmp_path) as site:
        both = site.channel.stream_stream(BOTH)()
        await both.write(b"m")
        assert await both.read() == b"<m"
        both.cancel()
        await _until(lambda: site.talker.over == 1)
        site.talker.began.clear()
        unary = site.channel.unary_unary(UNARY)(HANG)
        await site.talker.began.wait()
        await asyncio.sleep(0.05)
        unary.cancel()
        await _until(lambda: site.talker.over == 2)


async def test_a_stream_s_deadline_ends_it(tmp_path: Path) -> None:
    """Only the client sets one; the service is told by a reset."""
    async with talking(tmp_path) as site:
        both = site.channel.stream_stream(BOTH)(timeout=2.0)
        await both.write(b"m")
        assert await both.read() == b"<m"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await both.read()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await _until(lambda: site.talker.over == 1)


async def _until(holds: Any) -> None:
    async with asyncio.timeout(8.0):  # a service that is told nothing goes on for longer
        while not holds():
            await asyncio.sleep(0.01)

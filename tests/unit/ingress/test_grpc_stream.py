"""Streaming calls over gRPC."""

from __future__ import annotations

import gzip

import pytest

from edge.core.grpc_frame import Frame, FrameDecoder, Inflated
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import LIMIT, Pieces, RpcScene, Sink, fields, frames
from tests.unit.ingress.test_grpc import grpc


async def test_messages_pass_both_ways_and_the_status_follows() -> None:
    """Frames cut anywhere; metadata under its own names."""
    scene = RpcScene()
    scene.upstream.headers = ((b"x-a", b"1"),)
    scene.upstream.answers = (b"r1", b"")
    scene.upstream.outcome = UnaryReply(0, None, trailers=((b"x-b", b"2"),))
    body = frames(b"m1", b"", b"m3")
    answer = await scene.ask(grpc("/pkg.Svc/Both"), body[:3], body[3:8], body[8:])
    assert scene.sent == [b"m1", b"", b"m3"]
    assert (answer.status, answer.body) == (200, frames(b"r1", b""))
    assert fields(answer.headers) == {"content-type": "application/grpc", "x-a": "1"}
    assert fields(answer.trailers) == {"grpc-status": "0", "x-b": "2"}
    assert (scene.ended[0].status, scene.ended[0].grpc_code, scene.ended[0].request_bytes) == (200, 0, 4)


async def test_an_error_after_messages_is_in_the_trailers() -> None:
    """S5: always detectable."""
    scene = RpcScene()
    scene.upstream.answers = (b"r1",)
    scene.upstream.outcome = UnaryReply(9, None, "stop")
    answer = await scene.ask(grpc("/pkg.Svc/Down"), frames(b"m"))
    assert answer.body == frames(b"r1")
    assert fields(answer.trailers) == {"grpc-status": "9", "grpc-message": "stop"}
    assert scene.ended[0].grpc_code == 9


async def test_an_error_before_anything_still_has_a_head() -> None:
    """The service was never reached."""
    scene = RpcScene()
    scene.upstream.headers = None
    scene.upstream.outcome = Refusal(Fault.UPSTREAM_UNAVAILABLE)
    answer = await scene.ask(grpc("/pkg.Svc/Up"), frames(b"m"))
    assert (answer.status, answer.body) == (200, b"")
    assert fields(answer.trailers)["grpc-status"] == "14"


@pytest.mark.parametrize(
    ("path", "pieces", "code"),
    [
        ("/pkg.Svc/Up", [frames(b"a"), b"\0\0"], 3),
        ("/pkg.Svc/Up", [frames(b"a"), frames(b"x" * (LIMIT + 1))], 8),
        ("/pkg.Svc/Up", [b"\1\0\0\0\1x"], 13),
        ("/pkg.Svc/Down", [], 12),
        ("/pkg.Svc/Down", [frames(b"a", b"b")], 12),
    ],
)
async def test_a_body_that_is_not_what_the_method_takes_ends_the_call(
    path: str, pieces: list[bytes], code: int
) -> None:
    """The service must not take half for the whole: its stream is reset."""
    scene = RpcScene()
    answer = await scene.ask(grpc(path), *pieces)
    assert int(fields(answer.trailers)["grpc-status"]) == code
    assert scene.upstream.streams[0].cancelled


async def test_a_client_that_breaks_off_ends_the_call() -> None:
    """What the HTTP handler says of the body is what the status says."""
    scene = RpcScene()
    call = scene.begin(grpc("/pkg.Svc/Both"))
    assert not isinstance(call, tuple)
    assert call.streams
    await call.run(Pieces(frames(b"a"), broken=Refusal(Fault.REQUEST_TIMEOUT)), sink := Sink())
    assert fields(sink.trailers or ())["grpc-status"] == "4"
    assert scene.upstream.streams[0].cancelled


async def test_compressed_messages_are_inflated_one_by_one() -> None:
    """Some are, some are not."""
    scene = RpcScene()
    payload = gzip.compress(b"hello")
    frame = b"\1" + len(payload).to_bytes(4, "big") + payload
    await scene.ask(grpc("/pkg.Svc/Up", grpc_encoding="gzip"), frame + frames(b"plain"))
    assert scene.sent == [b"hello", b"plain"]


async def test_an_answer_that_has_no_json_ends_the_stream_with_an_error() -> None:
    """The service's fault, told as such and not as a bug."""
    scene = RpcScene()
    scene.upstream.answers = (b"ok", b"unprintable", b"never")
    answer = await scene.ask(grpc("/pkg.Svc/Down", content_type="application/grpc+json"), frames(b"{}"))
    assert (scene.sent, answer.body) == ([b"<{}"], frames(b"ok>"))
    assert fields(answer.trailers)["grpc-status"] == "13"
    assert scene.ended[0].refusal is not None
    assert scene.ended[0].refusal.fault is Fault.UPSTREAM_MALFORMED


async def test_messages_of_an_answer_are_compressed_one_by_one() -> None:
    """The long ones; one that the service compressed stays as it came; the head, which comes first, names the coding."""
    scene = RpcScene()
    packed = gzip.compress(b"hello", mtime=0)
    scene.upstream.answers = (b"short", b"r" * 5000, Inflated.of(packed, 100))
    web = grpc("/pkg.Svc/Down", content_type="application/grpc-web", grpc_accept_encoding="identity,gzip")
    answer = await scene.ask(web, frames(b"m"))
    assert fields(answer.headers)["grpc-encoding"] == "gzip"
    short, long, passed = FrameDecoder(10_000).feed(answer.body.rpartition(b"\x80")[0])
    assert (short, passed) == (Frame(compressed=False, payload=b"short"), Frame(compressed=True, payload=packed))
    assert long.compressed
    assert gzip.decompress(long.payload) == b"r" * 5000
    assert fields(scene.upstream.metadata[-1])["grpc-accept-encoding"] == "identity,gzip"


async def test_messages_stay_as_they_are_for_a_client_that_takes_no_compression() -> None:
    """And the head names none."""
    scene = RpcScene()
    scene.upstream.answers = (b"r" * 5000, Inflated.of(gzip.compress(b"hello", mtime=0), 100))
    answer = await scene.ask(grpc("/pkg.Svc/Down"), frames(b"m"))
    assert answer.body == frames(b"r" * 5000, b"hello")
    assert "grpc-encoding" not in fields(answer.headers)

"""Streaming calls over Connect."""

from __future__ import annotations

import gzip
import json

from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import LIMIT, RpcScene, fields, frames
from tests.unit.ingress.test_connect import connect, stream


def end_of(body: bytes, messages: bytes) -> dict[str, object]:
    """The end envelope's JSON behind these messages."""
    assert body.startswith(messages)
    rest = body[len(messages) :]
    assert rest[:1] == b"\2"
    assert len(rest) == 5 + int.from_bytes(rest[1:5], "big")
    value: dict[str, object] = json.loads(rest[5:])
    return value


async def test_messages_pass_both_ways_and_an_end_envelope_follows() -> None:
    """Trailers are its metadata."""
    scene = RpcScene()
    scene.upstream.headers = ((b"x-a", b"1"),)
    scene.upstream.answers = (b"r1", b"r2")
    scene.upstream.outcome = UnaryReply(0, None, trailers=((b"x-b", b"2"), (b"x-b", b"3")))
    answer = await scene.ask(stream("/pkg.Svc/Both", version="2"), frames(b"m1", b"m2"))
    assert scene.sent == [b"m1", b"m2"]
    assert (answer.status, answer.trailers) == (200, ())
    assert end_of(answer.body, frames(b"r1", b"r2")) == {"metadata": {"x-b": ["2", "3"]}}
    assert fields(answer.headers) == {"content-type": "application/connect+proto", "x-a": "1"}


async def test_json_and_compression_work_per_message() -> None:
    """Of those that are long enough."""
    scene = RpcScene()
    scene.upstream.answers = (b"r",)
    payload = gzip.compress(b"{}")
    body = b"\1" + len(payload).to_bytes(4, "big") + payload + frames(b"[]")
    head = connect("/pkg.Svc/Up", "application/connect+json", connect_content_encoding="gzip")
    answer = await scene.ask(head, body)
    assert scene.sent == [b"<{}", b"<[]"]
    assert end_of(answer.body, frames(b"r>")) == {}


async def test_an_error_is_in_the_end_envelope_under_status_200() -> None:
    """After messages, and before any."""
    scene = RpcScene()
    scene.upstream.answers = (b"r1",)
    scene.upstream.outcome = UnaryReply(9, None, "stop")
    answer = await scene.ask(stream(), frames(b"m"))
    assert end_of(answer.body, frames(b"r1"))["error"] == {"code": "failed_precondition", "message": "stop"}
    scene.upstream.headers, scene.upstream.answers = None, ()
    scene.upstream.outcome = Refusal(Fault.UPSTREAM_UNAVAILABLE)
    answer = await scene.ask(stream(), frames(b"m"))
    assert answer.status == 200
    error = end_of(answer.body, b"")["error"]
    assert isinstance(error, dict)
    assert error["code"] == "unavailable"


async def test_a_message_over_the_limit_ends_the_call() -> None:
    """And the service's stream."""
    scene = RpcScene()
    answer = await scene.ask(stream("/pkg.Svc/Up"), frames(b"x" * (LIMIT + 1)))
    error = end_of(answer.body, b"")["error"]
    assert isinstance(error, dict)
    assert error["code"] == "resource_exhausted"
    assert scene.upstream.streams[0].cancelled


async def test_answers_are_compressed_for_a_client_that_takes_it() -> None:
    """Message by message; the end envelope is not."""
    scene = RpcScene()
    scene.upstream.answers = (b"short", b"r" * 5000)
    answer = await scene.ask(stream(connect_accept_encoding="br, gzip"), frames(b"m"))
    assert fields(answer.headers)["connect-content-encoding"] == "gzip"
    first = frames(b"short")
    assert answer.body.startswith(first)
    rest = answer.body[len(first) :]
    size = int.from_bytes(rest[1:5], "big")
    assert rest[:1] == b"\1"
    assert gzip.decompress(rest[5 : 5 + size]) == b"r" * 5000
    assert end_of(rest[5 + size :], b"") == {}
    plain = await scene.ask(stream(), frames(b"m"))
    assert "connect-content-encoding" not in fields(plain.headers)
    assert end_of(plain.body, frames(b"short", b"r" * 5000)) == {}

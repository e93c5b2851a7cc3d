"""gRPC-Web, as bytes and as text, over either version of HTTP."""

from __future__ import annotations

import base64

import pytest

from edge.core.grpc_web import trailer_frame
from edge.exchange import Dialect
from edge.ingress.service import Answer, Head
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import LIMIT, RpcScene, fields, frames, head

TEXT = "application/grpc-web-text"


def web(
    path: str = "/pkg.Svc/Unary", content_type: str = "application/grpc-web+proto", version: str = "1.1", **headers: str
) -> Head:
    return head("POST", path, version=version, content_type=content_type, x_grpc_web="1", **headers)


def text(*flushes: bytes) -> bytes:
    """Each flush padded on its own."""
    return b"".join(base64.b64encode(flush) for flush in flushes)


@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_trailers_are_the_last_frame(version: str) -> None:
    """And nothing else of the answer differs from gRPC's."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"r", headers=((b"x-a", b"1"),), trailers=((b"x-b", b"2"),))
    answer = await scene.ask(web(version=version), frames(b"m"))
    assert scene.sent == [b"m"]
    assert answer.body == frames(b"r") + trailer_frame([(b"grpc-status", b"0"), (b"x-b", b"2")])
    assert fields(answer.headers) == {"content-type": "application/grpc-web+proto", "x-a": "1"}
    assert answer.trailers == ()
    assert scene.ended[0].dialect is Dialect.GRPC_WEB
    assert b"x-grpc-web" not in dict(scene.upstream.asked[0].metadata)


async def test_text_is_decoded_and_answered_as_text() -> None:
    """A frame a flush, so that the client can read each when it comes."""
    scene = RpcScene()
    answer = await scene.ask(web(content_type=TEXT), text(frames(b"m")[:4], frames(b"m")[4:]))
    assert scene.sent == [b"m"]
    assert answer.body == text(frames(b"yes"), trailer_frame([(b"grpc-status", b"0")]))
    assert fields(answer.headers)["content-type"] == TEXT
    await scene.ask(web(content_type=TEXT), text(frames(b"x" * LIMIT)))
    assert len(scene.sent) == 2


async def test_text_that_is_no_base64_is_refused() -> None:
    """Nothing of it reaches the service."""
    scene = RpcScene()
    for body in (b"****", b"AAAAAA"):
        answer = await scene.ask(web(content_type=TEXT), body)
        assert fields(answer.headers)["grpc-status"] == "3"
    assert scene.sent == []


async def test_an_error_without_more_to_say_is_in_the_head() -> None:
    """PROTOCOL-WEB: Trailers-Only is allowed, and what the clients expect of proxies."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(5, None, "gone")
    answer = await scene.ask(web(), frames(b""))
    assert (answer.status, answer.body) == (200, b"")
    assert fields(answer.headers)["grpc-status"] == "5"


async def test_a_server_stream_flushes_every_message_and_ends_with_the_trailer_frame() -> None:
    """Over HTTP/1.1 as well."""
    scene = RpcScene()
    scene.upstream.answers = (b"1", b"2")
    scene.upstream.outcome = UnaryReply(9, None, "stop")
    answer = await scene.ask(web("/pkg.Svc/Down"), frames(b"m"))
    assert answer.body == frames(b"1", b"2") + trailer_frame([(b"grpc-status", b"9"), (b"grpc-message", b"stop")])
    assert answer.trailers == ()


async def test_a_dialogue_needs_http_2() -> None:
    """W: over HTTP/1.1 it would wait for ever."""
    scene = RpcScene()
    answer = scene.begin(web("/pkg.Svc/Both"))
    assert isinstance(answer, Answer)
    assert answer.status == 505
    assert (await scene.ask(web("/pkg.Svc/Both", version="2"), frames(b"m"))).status == 200


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (web("/pkg.Svc/Nothing"), 404, "12"),
        (head("GET", content_type="application/grpc-web"), 405, "12"),
        (web(content_type="application/grpc-web+thrift"), 415, "3"),
        (web(content_type="application/grpc-webbing"), 415, "3"),
    ],
)
def test_what_fits_no_method_is_refused_on_the_head(request_head: Head, status: int, code: str) -> None:
    """With a status that clients of gRPC-Web and all others understand."""
    answer = RpcScene().begin(request_head)
    assert isinstance(answer, Answer)
    assert (answer.status, fields(answer.headers)["grpc-status"]) == (status, code)

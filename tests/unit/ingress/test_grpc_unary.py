"""Unary calls over gRPC."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from edge.core.grpc_frame import Inflated, encode_frame
from edge.ingress.service import Answer
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import LIMIT, RpcScene, fields, frames
from tests.unit.ingress.test_grpc import grpc


def status_of(answer: Answer) -> int:
    """The grpc-status, wherever it stands."""
    return int(fields([*answer.headers, *answer.trailers])["grpc-status"])


async def test_a_message_passes_as_it_is() -> None:
    """Bytes that are no protobuf at all show that nobody decodes them."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"\xff\xfe", headers=((b"x-a", b"1"),), trailers=((b"x-b-bin", b"AQ"),))
    answer = await scene.ask(grpc(), frames(b"\xff\xff"))
    assert scene.sent == [b"\xff\xff"]
    assert answer.body == frames(b"\xff\xfe")
    assert (answer.status, fields(answer.headers)) == (200, {"content-type": "application/grpc", "x-a": "1"})
    assert fields(answer.trailers) == {"grpc-status": "0", "x-b-bin": "AQ"}
    assert (scene.ended[0].status, scene.ended[0].grpc_code) == (200, 0)


async def test_json_is_a_form_too() -> None:
    """application/grpc+json goes through the codec, and comes back so."""
    scene = RpcScene()
    answer = await scene.ask(grpc(content_type="application/grpc+json"), frames(b"{}"))
    assert (scene.sent, answer.body) == ([b"<{}"], frames(b"yes>"))
    assert fields(answer.headers)["content-type"] == "application/grpc+json"
    assert status_of(await scene.ask(grpc(content_type="application/grpc+json"), frames(b"misfit"))) == 3
    scene.upstream.reply = UnaryReply(0, b"unprintable")
    assert status_of(await scene.ask(grpc(content_type="application/grpc+json"), frames(b"{}"))) == 13


@pytest.mark.parametrize(
    ("coding", "payload"),
    [("gzip", gzip.compress(b"x" * LIMIT, mtime=0)), ("deflate", zlib.compress(b"x" * LIMIT))],
    ids=["gzip", "deflate"],
)
async def test_a_compressed_message_is_inflated_within_the_limit(coding: str, payload: bytes) -> None:
    """E3: a bomb is RESOURCE_EXHAUSTED; damage is INVALID_ARGUMENT."""
    scene = RpcScene()
    frame = b"\1" + len(payload).to_bytes(4, "big") + payload
    await scene.ask(grpc(grpc_encoding=coding), frame)
    assert scene.sent == [b"x" * LIMIT]
    bomb = gzip.compress(b"x" * (LIMIT + 1))
    frame = b"\1" + len(bomb).to_bytes(4, "big") + bomb
    assert status_of(await scene.ask(grpc(grpc_encoding="gzip"), frame)) == 8
    assert status_of(await scene.ask(grpc(grpc_encoding="gzip"), b"\1\0\0\0\1x")) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 12),
        (frames(b"a", b"b"), 12),
        (frames(b"x" * LIMIT), 0),
        (frames(b"x" * (LIMIT + 1)), 8),
        (b"\0\0\0\0\5abc", 3),
        (b"\7\0\0\0\0", 3),
        (b"\1\0\0\0\1x", 13),
    ],
)
async def test_exactly_one_whole_message_within_the_limit_is_taken(body: bytes, code: int) -> None:
    """The codes are those of gRPC's own implementations."""
    scene = RpcScene()
    assert status_of(await scene.ask(grpc(), body)) == code
    assert bool(scene.sent) == (code == 0)


async def test_a_services_error_is_one_block_with_all_it_said() -> None:
    """Trailers-Only; grpc-message percent-encoded, details as they came."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(5, None, "no \u00e4", b"\x08\x05", trailers=((b"x-b", b"2"),))
    answer = await scene.ask(grpc(), frames(b""))
    assert (answer.status, answer.body, answer.trailers) == (200, b"", ())
    told = fields(answer.headers)
    assert (told["grpc-status"], told["grpc-message"], told["x-b"]) == ("5", "no %C3%A4", "2")
    assert told["grpc-status-details-bin"] == "CAU"


async def test_a_services_error_with_a_head_keeps_head_and_trailers_apart() -> None:
    """A client asks for initial metadata and trailers by different names."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(5, None, headers=((b"x-a", b"1"),), trailers=((b"x-b", b"2"),))
    answer = await scene.ask(grpc(), frames(b""))
    assert fields(answer.headers) == {"content-type": "application/grpc", "x-a": "1"}
    assert fields(answer.trailers) == {"grpc-status": "5", "x-b": "2"}


async def test_a_refusal_says_over_grpc_what_it_says_over_rest() -> None:
    """E4: ErrorInfo with the fault's name, RetryInfo where waiting helps."""
    scene = RpcScene()
    scene.upstream.reply = Refusal(Fault.UPSTREAM_UNAVAILABLE, "connection refused: 10.0.0.7", retry_after_s=0.5)
    answer = await scene.ask(grpc(), frames(b""))
    told = fields(answer.headers)
    assert (told["grpc-status"], told["grpc-message"]) == ("14", "the service cannot be reached")
    status = Status.FromString(base64.b64decode(told["grpc-status-details-bin"] + "=="))
    info, retry = ErrorInfo(), RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (status.code, info.reason, info.domain) == (14, "UPSTREAM_UNAVAILABLE", "edge-gateway")
    assert retry.retry_delay.ToMilliseconds() == 500


async def test_metadata_of_the_client_goes_by_the_header_rules() -> None:
    """X5, H1: identity names and gRPC's own fields do not pass; -bin does."""
    scene = RpcScene()
    await scene.ask(grpc(x_a="1", x_b_bin="AQ==", x_tenant="evil", grpc_previous_rpc_attempts="1"), frames(b""))
    sent = fields(scene.upstream.asked[0].metadata)
    assert (sent["x-a"], sent["x-b-bin"]) == ("1", "AQ")
    assert not {"x-tenant", "grpc-previous-rpc-attempts", "te", "content-type"} & set(sent)


async def test_an_answer_to_a_grpc_client_is_not_compressed_here() -> None:
    """Only the service knows whether that is worth anyone's CPU."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"r" * 5000)
    answer = await scene.ask(grpc(grpc_accept_encoding="identity,gzip"), frames(b""))
    assert answer.body == frames(b"r" * 5000)
    assert "grpc-encoding" not in fields(answer.headers)


@pytest.mark.parametrize("kind", ["application/grpc-web", "application/grpc-web-text"])
async def test_a_long_answer_is_compressed_for_a_browser_that_takes_it(kind: str) -> None:
    """In the message, and the head says how; over either wire."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"r" * 5000)
    body = frames(b"")
    head = grpc(content_type=kind, grpc_accept_encoding="identity,gzip")
    answer = await scene.ask(head, base64.b64encode(body) if kind.endswith("text") else body)
    assert fields(answer.headers)["grpc-encoding"] == "gzip"
    found = base64.b64decode(answer.body.partition(b"=")[0] + b"==") if kind.endswith("text") else answer.body
    assert found[:1] == b"\1"
    size = int.from_bytes(found[1:5], "big")
    assert gzip.decompress(found[5 : 5 + size]) == b"r" * 5000


async def test_an_answer_is_not_compressed_unless_all_agree() -> None:
    """The client, the API, and the size; the head then names no coding."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"r" * 5000)
    assert (await scene.ask(grpc(), frames(b""))).body == frames(b"r" * 5000)
    scene.compression(on=False)
    accepting = grpc(content_type="application/grpc-web", grpc_accept_encoding="gzip")
    assert (await scene.ask(accepting, frames(b""))).body.startswith(frames(b"r" * 5000))
    scene.compression(on=True)
    scene.upstream.reply = UnaryReply(0, b"short")
    answer = await scene.ask(accepting, frames(b""))
    assert answer.body.startswith(frames(b"short"))
    assert "grpc-encoding" not in fields(answer.headers)


async def test_what_the_service_compressed_passes_as_it_is() -> None:
    """For a client that takes it; for others, and in another form, it is what it says."""
    scene = RpcScene()
    packed = gzip.compress(b"hello", mtime=0)
    scene.upstream.reply = UnaryReply(0, Inflated.of(packed, 100))
    answer = await scene.ask(grpc(grpc_accept_encoding="gzip"), frames(b""))
    assert answer.body == encode_frame(packed, compressed=True)
    assert fields(scene.upstream.asked[-1].metadata)["grpc-accept-encoding"] == "identity,gzip"
    assert (await scene.ask(grpc(), frames(b""))).body == frames(b"hello")
    assert "grpc-accept-encoding" not in fields(scene.upstream.asked[-1].metadata)
    as_json = grpc(content_type="application/grpc+json", grpc_accept_encoding="gzip")
    assert (await scene.ask(as_json, frames(b"{}"))).body == frames(b"hello>")
    assert "grpc-accept-encoding" not in fields(scene.upstream.asked[-1].metadata)

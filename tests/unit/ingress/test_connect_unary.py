"""Unary calls over Connect."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
import zstandard
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from tests.unit.ingress.rpc_scenes import LIMIT, RpcScene, fields, head
from tests.unit.ingress.test_connect import GET, connect


async def test_the_message_is_the_body_and_passes_as_it_is() -> None:
    """Trailers become prefixed headers."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(0, b"\xff", headers=((b"x-a", b"1"),), trailers=((b"x-b-bin", b"AQ"),))
    answer = await scene.ask(connect(x_c="3"), b"\xff\xfe")
    assert (scene.sent, answer.status, answer.body) == ([b"\xff\xfe"], 200, b"\xff")
    told = {"content-type": "application/proto", "x-a": "1", "trailer-x-b-bin": "AQ", "vary": "accept-encoding"}
    assert fields(answer.headers) == told
    sent = fields(scene.upstream.asked[0].metadata)
    assert sent["x-c"] == "3"
    assert not [name for name in sent if name.startswith("connect-")]


async def test_json_goes_through_the_codec() -> None:
    """Compiled once for the RPC, as the whole body."""
    scene = RpcScene()
    compiled = len(scene.api.compiled)
    for _ in range(2):
        answer = await scene.ask(connect(content_type="application/json; charset=utf-8"), b"{}")
        assert answer.body == b"yes>"
    assert scene.sent == [b"<{}", b"<{}"]
    (last,) = scene.api.compiled[compiled:]
    assert (last["body"], last["path_fields"], last["input_type"]) == ("*", (), "pkg.In")
    assert (await scene.ask(connect(content_type="application/json"), b"misfit")).status == 400
    scene.upstream.reply = UnaryReply(0, b"unprintable")
    assert (await scene.ask(connect(content_type="application/json"), b"{}")).status == 500


async def test_a_get_brings_the_message_in_its_query() -> None:
    """For a method without side effects; compressed where the query says so."""
    scene = RpcScene()
    answer = await scene.ask(head("GET", "/pkg.Svc/Safe", GET))
    assert (answer.status, answer.body, scene.sent) == (200, b"yes>", [b"<{}"])
    packed = base64.urlsafe_b64encode(gzip.compress(b"m")).decode()
    await scene.ask(
        head("GET", "/pkg.Svc/Safe", f"connect=v1&encoding=proto&base64=1&compression=gzip&message={packed}")
    )
    assert scene.sent[1] == b"m"


async def test_a_coded_body_is_inflated_within_bounds() -> None:
    """E3: over the limit is RESOURCE_EXHAUSTED, which is 429 here."""
    scene = RpcScene()
    await scene.ask(connect(content_encoding="zstd"), zstandard.compress(b"x" * LIMIT))
    assert scene.sent == [b"x" * LIMIT]
    bomb = await scene.ask(connect(content_encoding="gzip"), gzip.compress(b"x" * (LIMIT + 1)))
    assert (bomb.status, json.loads(bomb.body)["code"]) == (429, "resource_exhausted")
    assert (await scene.ask(connect(content_encoding="gzip"), b"x")).status == 400


@pytest.mark.parametrize(
    ("code", "status", "name"), [(5, 404, "not_found"), (1, 499, "canceled"), (77, 500, "unknown")]
)
async def test_a_services_error_has_its_http_status_and_its_metadata(code: int, status: int, name: str) -> None:
    """The protocol's table."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(code, None, "why", headers=((b"x-a", b"1"),), trailers=((b"x-b", b"2"),))
    answer = await scene.ask(connect(), b"")
    assert (answer.status, json.loads(answer.body)) == (status, {"code": name, "message": "why"})
    told = fields(answer.headers)
    assert (told["content-type"], told["x-a"], told["trailer-x-b"]) == ("application/json", "1", "2")


async def test_details_have_type_bytes_and_a_form_for_people() -> None:
    """Of the service's errors by the API's descriptors, of ours by our own word."""
    scene = RpcScene()
    details = Status(code=5)
    details.details.add(type_url="type.googleapis.com/a.B", value=b"\x08\x01")
    scene.upstream.reply = UnaryReply(5, None, "", details.SerializeToString())
    answer = await scene.ask(connect(), b"")
    assert json.loads(answer.body)["details"] == [{"type": "a.B", "value": "CAE", "debug": {"x": 1}}]
    scene.upstream.reply = Refusal(Fault.UPSTREAM_UNAVAILABLE)
    info, retry = json.loads((await scene.ask(connect(), b"")).body)["details"]
    assert (info["type"], info["debug"]["reason"]) == ("google.rpc.ErrorInfo", "UPSTREAM_UNAVAILABLE")
    assert ErrorInfo.FromString(base64.b64decode(info["value"] + "==")).domain == "edge-gateway"
    assert retry["debug"] == {"retryDelay": "1.000s"}


async def test_details_that_are_no_status_are_left_out() -> None:
    """A service's nonsense is no reason for a crash."""
    scene = RpcScene()
    scene.upstream.reply = UnaryReply(5, None, "", b"\xff\xff")
    assert json.loads((await scene.ask(connect(), b"")).body) == {"code": "not_found"}

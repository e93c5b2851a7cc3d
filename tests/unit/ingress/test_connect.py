"""Connect's reading of heads: which RPC, which kind of call, and the refusals of what fits none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.exchange import Dialect
from edge.ingress.service import Answer, Head
from tests.unit.ingress.rpc_scenes import RpcScene, fields, frames, head


def connect(
    path: str = "/pkg.Svc/Unary", content_type: str = "application/proto", version: str = "1.1", **headers: str
) -> Head:
    return head("POST", path, version=version, content_type=content_type, connect_protocol_version="1", **headers)


def stream(path: str = "/pkg.Svc/Down", **headers: str) -> Head:
    return connect(path, "application/connect+proto", **headers)


GET = "connect=v1&encoding=json&message=%7B%7D"


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (connect("/pkg.Svc/Nothing"), 404, "unimplemented"),
        (head("DELETE", connect_protocol_version="1"), 405, "unknown"),
        (head("GET", "/pkg.Svc/Unary", GET), 405, "unknown"),
        (connect(content_type="application/foo"), 415, "unknown"),
        (connect(content_type="image/jpeg"), 415, "unknown"),
        (connect("/pkg.Svc/Down"), 415, "unknown"),
        (connect(content_type="application/connect+proto"), 415, "unknown"),
        (stream("/pkg.Svc/Both"), 505, "unknown"),
        (connect(content_encoding="snappy"), 501, "unimplemented"),
        (connect(connect_timeout_ms="soon"), 400, "invalid_argument"),
        (head(content_type="application/proto", connect_protocol_version="2"), 400, "invalid_argument"),
        (head("GET", "/pkg.Svc/Safe", "connect=v1&encoding=json"), 400, "invalid_argument"),
        (head("GET", "/pkg.Svc/Safe", "connect=v1&encoding=foo&message="), 415, "unknown"),
    ],
)
def test_what_fits_no_method_is_refused_on_the_head(request_head: Head, status: int, code: str) -> None:
    """The code never contradicts the one a client infers from the status."""
    scene = RpcScene()
    answer = scene.begin(request_head)
    assert isinstance(answer, Answer)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert fields(answer.headers)["content-type"] == "application/json"
    assert scene.ended[0].dialect is Dialect.CONNECT


def test_refusals_say_what_is_allowed() -> None:
    """Allow and Accept-Encoding."""
    answer = RpcScene().begin(head("PUT", "/pkg.Svc/Safe", connect_protocol_version="1"))
    assert isinstance(answer, Answer)
    assert fields(answer.headers)["allow"] == "POST, GET"
    answer = RpcScene().begin(connect(content_encoding="snappy"))
    assert isinstance(answer, Answer)
    assert fields(answer.headers)["accept-encoding"] == "gzip,deflate,br,zstd"


def test_a_timeout_that_is_none_is_told_by_the_name_the_client_gave_it() -> None:
    """Connect's own header, not gRPC's."""
    answer = RpcScene().begin(connect(connect_timeout_ms="soon"))
    assert isinstance(answer, Answer)
    assert json.loads(answer.body)["message"] == "connect-timeout-ms: must be 1 to 10 digits"


def test_a_stream_is_refused_in_its_own_form() -> None:
    """200, and an end envelope."""
    answer = RpcScene().begin(stream(connect_content_encoding="snappy"))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body[:1]) == (200, b"\2")
    assert fields(answer.headers)["content-type"] == "application/connect+proto"
    assert json.loads(answer.body[5:])["error"]["code"] == "unimplemented"


def test_while_descriptions_load_it_is_unavailable() -> None:
    """503."""
    answer = RpcScene(loading=("other",)).begin(connect("/pkg.Svc/Nothing"))
    assert isinstance(answer, Answer)
    assert answer.status == 503


async def test_the_deadline_is_the_nearer_one_and_streams_have_none_of_ours() -> None:
    """Connect-Timeout-Ms counts, Grpc-Timeout does not."""
    scene = RpcScene()
    await scene.ask(connect(grpc_timeout="1S"), b"m")
    await scene.ask(connect(connect_timeout_ms="2000"), b"m")
    await scene.ask(stream(), frames(b"m"))
    await scene.ask(replace(stream(connect_timeout_ms="3000"), started=1e9), frames(b"m"))
    assert [request.deadline for request in scene.upstream.asked] == [114.0, 101.0]
    assert scene.upstream.deadlines == [None, 1e9 + 3]

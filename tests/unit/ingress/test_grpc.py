"""gRPC's reading of heads: which RPC, and what is refused before a body byte is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.exchange import Dialect
from edge.ingress.service import Answer, Head
from tests.unit.ingress.rpc_scenes import RpcScene, fields, frames, head


def grpc(
    path: str = "/pkg.Svc/Unary", version: str = "2", content_type: str = "application/grpc", **headers: str
) -> Head:
    return head("POST", path, version=version, content_type=content_type, te="trailers", **headers)


def refusal(request: Head, *, loading: tuple[str, ...] = ()) -> tuple[int, dict[str, str]]:
    """A head's refusal: HTTP status and fields."""
    scene = RpcScene(loading=loading)
    answer = scene.begin(request)
    assert isinstance(answer, Answer)
    assert answer.body == b""
    (x,) = scene.ended
    assert x.dialect is Dialect.GRPC
    return answer.status, fields(answer.headers)


def test_an_unknown_method_is_unimplemented() -> None:
    """As every gRPC server has it, with the reason in the details."""
    status, told = refusal(grpc("/pkg.Svc/Nothing"))
    assert (status, told["grpc-status"], told["content-type"]) == (404, "12", "application/grpc")
    assert told["grpc-status-details-bin"]


def test_while_descriptions_load_it_is_unavailable() -> None:
    """A client may come back."""
    assert refusal(grpc("/pkg.Svc/Nothing"), loading=("other",))[1]["grpc-status"] == "14"


def test_http_1_cannot_carry_it() -> None:
    """No trailers: 505."""
    assert refusal(grpc(version="1.1"))[0] == 505


def test_only_post_calls() -> None:
    """405, with Allow."""
    status, told = refusal(head("GET", content_type="application/grpc"))
    assert (status, told["allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", ["application/grpc+thrift", "application/grpc+"])
def test_a_form_nobody_knows_is_415(content_type: str) -> None:
    """PROTOCOL-HTTP2: content types that are not gRPC's are 415."""
    scene = RpcScene()
    answer = scene.begin(grpc(content_type=content_type))
    if content_type.endswith("+"):
        assert not isinstance(answer, Answer)  # nothing after the plus is protobuf, as nothing at all is
    else:
        assert isinstance(answer, Answer)
        assert answer.status == 415


def test_an_unknown_compression_is_unimplemented_and_told_the_known_ones() -> None:
    """doc/compression.md."""
    status, told = refusal(grpc(grpc_encoding="snappy"))
    assert (status, told["grpc-status"], told["grpc-accept-encoding"]) == (200, "12", "identity,gzip,deflate,br,zstd")


def test_a_timeout_that_is_none_is_refused() -> None:
    """D1."""
    assert refusal(grpc(grpc_timeout="soon"))[1]["grpc-status"] == "3"


async def test_the_deadline_is_the_nearer_one_and_streams_have_none_of_ours() -> None:
    """D2, D4: the route's 15 s count for unary calls only."""
    scene = RpcScene()
    await scene.ask(grpc(), frames(b"m"))
    await scene.ask(grpc(grpc_timeout="2S"), frames(b"m"))
    await scene.ask(grpc("/pkg.Svc/Both"), frames(b"m"))
    await scene.ask(replace(grpc("/pkg.Svc/Both", grpc_timeout="3S"), started=1e9), frames(b"m"))
    assert [request.deadline for request in scene.upstream.asked] == [114.0, 101.0]
    assert scene.upstream.deadlines == [None, 1e9 + 3]

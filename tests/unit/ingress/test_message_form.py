"""The forms of a message."""

from __future__ import annotations

from edge.ingress.message_form import PROTO, form_of
from tests.unit.ingress.rpc_scenes import RpcScene


def test_protobuf_is_left_alone_and_json_goes_through_the_codec() -> None:
    """The codec is compiled when it is first needed, and once."""
    scene = RpcScene()
    target = scene.serving.routes.targets["/pkg.Svc/Unary"]
    compiled = len(scene.api.compiled)
    assert form_of("proto", target) is PROTO
    assert PROTO.read(b"\xff") == PROTO.written(b"\xff") == b"\xff"
    assert len(scene.api.compiled) == compiled
    for _ in range(2):
        json = form_of("json", target)
        assert json is not None
        assert (json.name, json.read(b"{}"), json.written(b"m")) == ("json", b"<{}", b"m>")
    assert len(scene.api.compiled) == compiled + 1
    assert form_of("thrift", target) is None

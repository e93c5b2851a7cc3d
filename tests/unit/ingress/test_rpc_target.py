"""RPCs by their paths."""

from __future__ import annotations

import pytest

from edge.exchange import Dialect
from edge.ingress.client import client_of
from edge.ingress.opening import Opening
from edge.ingress.rpc_target import is_streaming, needs_http2, rpc_target
from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline
from edge.routes import Target
from tests.unit.ingress.rpc_scenes import RpcScene, head


def opening(path: str, version: str = "1.1", *, loading: tuple[str, ...] = ()) -> Opening:
    """A head, on its way."""
    scene = RpcScene(loading=loading)
    read = head(path=path, version=version)
    return Opening(scene.serving, Pipeline(()), Dialect.GRPC, read, client_of(read, ()), "id")


def test_a_path_is_exact() -> None:
    """No decoding, no slashes to merge: RPC paths have one spelling."""
    target = rpc_target(opening("/pkg.Svc/Unary"))
    assert isinstance(target, Target)
    assert not is_streaming(target)
    for path in ("/pkg.Svc/unary", "/pkg.Svc/Unary/", "//pkg.Svc/Unary", "/pkg%2ESvc/Unary", "/"):
        refusal = rpc_target(opening(path))
        assert isinstance(refusal, Refusal)
        assert refusal.fault is Fault.RPC_UNKNOWN
    refusal = rpc_target(opening("/", loading=("a",)))
    assert isinstance(refusal, Refusal)
    assert refusal.fault is Fault.NOT_READY


@pytest.mark.parametrize(
    ("method", "version", "refused"),
    [("Both", "1.1", True), ("Both", "1.0", True), ("Both", "2", False), ("Up", "1.1", False), ("Down", "1.1", False)],
)
def test_only_a_dialogue_needs_http_2(method: str, version: str, refused: bool) -> None:
    """W."""
    given = opening(f"/pkg.Svc/{method}", version)
    target = rpc_target(given)
    assert isinstance(target, Target)
    assert is_streaming(target)
    assert (needs_http2(given, target) is not None) == refused

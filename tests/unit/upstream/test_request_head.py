"""What stands in front of a call's metadata, and whose metadata wins."""

from __future__ import annotations

from edge import __version__
from edge.upstream.request_head import RequestHeads


def test_a_head_is_grpc_s() -> None:
    """In the order of PROTOCOL-HTTP2.md, the timeout before the metadata."""
    heads = RequestHeads(b"http", None, ())
    assert heads.of(b"/a.B/C", [(b"x", b"1")], 1.5, "10.0.0.1:50051") == [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/a.B/C"),
        (b":authority", b"10.0.0.1:50051"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", f"edge-gateway/{__version__}".encode()),
        (b"grpc-timeout", b"1500m"),
        (b"x", b"1"),
    ]
    assert b"grpc-timeout" not in dict(heads.of(b"/a.B/C", (), None, "10.0.0.1:50051"))


def test_heads_are_kept_apart_by_path_and_address() -> None:
    """What was prepared for one is not said to another."""
    heads = RequestHeads(b"http", None, ())
    said = {
        (path, address): dict(heads.of(path, (), None, address))
        for path in (b"/a/1", b"/a/2")
        for address in ("h:1", "h:2")
        for _ in range(2)
    }
    assert all((head[b":path"], head[b":authority"].decode()) == key for key, head in said.items())


def test_the_configured_authority_and_metadata_take_their_places() -> None:
    """The operator's credential stands alone."""
    heads = RequestHeads(b"https", "svc.mesh", [(b"authorization", b"ours")])
    head = heads.of(b"/a.B/C", [(b"authorization", b"forged"), (b"x", b"1")], None, "10.0.0.1:1")
    assert [value for name, value in head if name == b"authorization"] == [b"ours"]
    assert (dict(head)[b":authority"], dict(head)[b":scheme"], dict(head)[b"x"]) == (b"svc.mesh", b"https", b"1")

"""A header block to a Head: limits on what was sent, and as much of a refused head as can be told."""

from __future__ import annotations

import pytest

from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2_head import Origin, ReadHead, read_head
from edge.ingress.service import Header
from edge.outcome import Fault
from tests.unit.ingress.http2_wire import request

LIMITS = Http1Limits(max_uri_bytes=50, max_header_bytes=300, max_header_count=5)
ORIGIN = Origin("192.0.2.1", secure=True)


def read(fields: list[Header], *, end: bool = True) -> ReadHead:
    return read_head(fields, ORIGIN, 12.5, LIMITS, end=end)


def test_a_sound_head() -> None:
    found = read(request("POST", "/a?b=c", (b"content-length", b"3"), (b"expect", b"100-continue")), end=False)
    assert found.refusal is None
    assert found.expects_continue
    head = found.head
    assert (head.method, head.path, head.query, head.version) == ("POST", "/a", "b=c", "2")
    assert (head.peer, head.secure, head.started) == ("192.0.2.1", True, 12.5)
    assert (head.has_body, head.content_length) == (True, 3)
    assert head.get(b"host") == "a.example"


def test_nothing_is_awaited_when_no_body_follows() -> None:
    found = read(request("POST", "/a", (b"expect", b"100-continue")))
    assert not found.expects_continue
    assert not found.head.has_body


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (request("GET", "/" + "a" * 50), Fault.URI_TOO_LONG),
        (request("GET", "/", (b"x", b"y" * 300)), Fault.HEADERS_TOO_LARGE),
        (request("GET", "/", *((b"x-%d" % n, b"") for n in range(6))), Fault.HEADERS_TOO_LARGE),
        (request("GET", "/", *[(b"cookie", b"a" * 50)] * 6), Fault.HEADERS_TOO_LARGE),
        (request("GET", "/", *[(b"host", b"a.example")] * 16), Fault.HEADERS_TOO_LARGE),
        (request("GET", "/#"), Fault.MALFORMED_REQUEST),
        (request("GET", "/", (b"expect", b"x")), Fault.EXPECTATION_FAILED),
        ([(b":method", b"CONNECT"), (b":authority", b"h:1")], Fault.ROUTE_NOT_FOUND),
    ],
)
def test_refused_heads_are_told_as_far_as_they_can_be(fields: list[Header], fault: Fault) -> None:
    found = read(fields)
    assert found.refusal is not None
    assert found.refusal.fault is fault
    assert found.head.method == fields[0][1].decode()
    assert all(name[:1] != b":" for name, _ in found.head.headers)


def test_many_crumbs_are_one_field() -> None:
    """HTTP/1.1 would send one cookie: the count must not depend on the protocol."""
    assert read(request("GET", "/", *[(b"cookie", b"a=1")] * 6)).refusal is None

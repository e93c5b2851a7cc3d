"""What a reader's findings become."""

from __future__ import annotations

import pytest

from edge.core.http1_head import FlawKind, HeadFlaw
from edge.ingress.http1_head import FAULT_OF_FLAW, refusal_of, rest_may_be_large
from edge.ingress.http1_limits import DISCARD_BYTES, Http1Limits
from edge.outcome import Fault
from edge.wire.engines import engine
from edge.wire.http1 import RequestReader


def fed(data: bytes) -> RequestReader:
    reader = engine().request_reader(Http1Limits())
    reader.feed(data, 0)
    return reader


def test_each_kind_of_flaw_leads_to_a_fault() -> None:
    assert set(FAULT_OF_FLAW) == set(FlawKind)


def test_a_body_too_large_says_what_would_not_be() -> None:
    reader = fed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    reader.max_body_bytes = 7
    refusal = refusal_of(HeadFlaw(FlawKind.BODY_TOO_LARGE, ""), reader)
    assert refusal.fault is Fault.BODY_TOO_LARGE
    assert "7 bytes" in (refusal.message or "")


@pytest.mark.parametrize(
    ("framing", "large"),
    [
        (b"", False),
        (b"Content-Length: %d\r\n" % DISCARD_BYTES, False),
        (b"Content-Length: %d\r\n" % (DISCARD_BYTES + 1), True),
        (b"Transfer-Encoding: chunked\r\n", True),
    ],
)
def test_how_much_of_a_body_is_worth_reading(framing: bytes, large: bool) -> None:
    assert rest_may_be_large(fed(b"POST / HTTP/1.1\r\nHost: h\r\n%b\r\n" % framing)) is large


def test_nothing_is_known_before_the_head() -> None:
    assert not rest_may_be_large(fed(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n"))

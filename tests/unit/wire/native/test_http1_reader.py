"""What the native reader keeps, and what it says of wrong use. What it reads: tests/unit/wire/test_http1_equality.py."""

from __future__ import annotations

import pytest

from edge.ingress.http1_limits import Http1Limits
from tests.unit.wire.http1_engines import NativeRequestReader, needs_native

pytestmark = needs_native

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"


def test_a_body_in_many_pieces_is_one() -> None:
    reader = NativeRequestReader(Http1Limits())
    reader.feed(HEAD, 0)
    reader.max_body_bytes = None
    for piece in (b"a", b"bc", b"d"):
        reader.feed(piece, 0)
    assert (reader.held_bytes, reader.take_body(), reader.held_bytes) == (4, b"abcd", 0)
    reader.feed(b"ef", 0)
    assert (reader.take_body(), reader.complete) == (b"ef", True)


def test_between_requests_nothing_is_held() -> None:
    """An idle connection keeps no header of its last request: it may be a secret."""
    reader = NativeRequestReader(Http1Limits())
    reader.feed(b"GET /secret HTTP/1.1\r\nHost: a\r\nAuthorization: b\r\n\r\n", 0)
    reader.reset()
    assert reader.parts == ("", "", "", "", [], False, None, {})


def test_an_offset_past_the_data_is_the_callers_bug() -> None:
    with pytest.raises(ValueError, match="offset"):
        NativeRequestReader(Http1Limits()).feed(b"GET", 4)


def test_a_closed_reader_is_let_go() -> None:
    """There is nothing to close: the connection calls it for whatever reader it has."""
    NativeRequestReader(Http1Limits()).close()


def test_trailers_are_bounded_while_they_come() -> None:
    reader = NativeRequestReader(Http1Limits(max_header_bytes=64))
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0)
    reader.max_body_bytes = None
    reader.feed(b"0\r\nx: ", 0)
    for _ in range(20_000):
        reader.feed(b"y", 0)
        if reader.flaw is not None:
            break
    assert reader.flaw is not None

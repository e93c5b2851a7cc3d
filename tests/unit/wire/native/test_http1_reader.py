"""What the native reader keeps, and what it says of wrong use. What it reads: tests/unit/wire/test_http1_equality.py."""

from __future__ import annotations

from time import thread_time

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


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (b"", b"\r\n"),
        (b"GET /", b"a"),
        (b"GET / HTTP/1.1\r\n" + b"x" * 9, b"y"),
        (b"GET / HTTP/1.1\r\nx: y", b" "),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
        (CHUNKED, b"1\r\na\r\n"),
        (CHUNKED, b'1;a="\\""\r\na\r\n'),
        (CHUNKED + b"0\r\n", b"x: y\r\n"),
        (CHUNKED + b"0\r\nx: y", b" "),
    ],
)
def test_reading_takes_time_by_the_octet(before: bytes, again: bytes) -> None:
    """However small the pieces are and however large the whole: sixteen times the octets take 16 times the time, not 256."""
    vast = Http1Limits(max_uri_bytes=1 << 24, max_header_bytes=1 << 24, max_header_count=1 << 24)

    def spent(size: int) -> float:
        reader, pieces = NativeRequestReader(vast), [bytes((octet,)) for octet in before + again * (size // len(again))]
        begun = thread_time()
        for piece in pieces:
            reader.feed(piece, 0)
            reader.max_body_bytes = None
        assert reader.flaw is None
        return thread_time() - begun

    small, large = (min(spent(size) for _ in range(3)) for size in (4_000, 64_000))
    assert large < 64 * small

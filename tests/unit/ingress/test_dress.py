"""The last touches: request id, 304, compression."""

from __future__ import annotations

import gzip

import pytest

from edge.core.grpc_frame import Inflated
from edge.ingress.dress import dressed
from edge.ingress.service import Answer, Head, Header

JSON = (b"content-type", b"application/json")
ID = (b"x-request-id", b"id-1")
LONG = b'{"a":"' + b"x" * 5000 + b'"}'


def head(method: str = "GET", **headers: str) -> Head:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Head(method, "/", "", "1.1", fields, "192.0.2.1", secure=False, started=0.0)


def dress(body: bytes, request: Head, *headers: Header, status: int = 200, compress: bool = True) -> Answer:
    return dressed(Answer(status, [JSON, *headers], body), request, ID, compress=compress)


def test_every_answer_carries_the_request_id() -> None:
    assert ID in dress(b"{}", head()).headers


def test_an_answer_is_compressed_as_the_client_prefers() -> None:
    """R6: by q-value; Vary tells caches."""
    answer = dress(LONG, head(accept_encoding="gzip;q=1, zstd;q=0.1"))
    assert (b"content-encoding", b"gzip") in answer.headers
    assert (b"vary", b"accept-encoding") in answer.headers
    assert gzip.decompress(answer.body) == LONG


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "lzma"])
def test_an_answer_stays_as_it_is_for_a_client_that_takes_no_coding(accepted: str) -> None:
    """R6: identity is the fallback, and still varies."""
    answer = dress(LONG, head(accept_encoding=accepted))
    assert answer.body == LONG
    assert (b"vary", b"accept-encoding") in answer.headers


def test_compression_can_be_turned_off() -> None:
    answer = dress(LONG, head(accept_encoding="gzip"), compress=False)
    assert answer.body == LONG
    assert (b"vary", b"accept-encoding") not in answer.headers


def test_a_picture_is_not_compressed_again() -> None:
    answer = dressed(
        Answer(200, [(b"content-type", b"image/png")], LONG), head(accept_encoding="gzip"), ID, compress=True
    )
    assert answer.body == LONG


def test_a_strong_tag_becomes_weak_when_the_bytes_change() -> None:
    """R6, RFC 9110 8.8.1."""
    answer = dress(LONG, head(accept_encoding="gzip"), (b"etag", b'"1"'))
    assert (b"etag", b'W/"1"') in answer.headers


@pytest.mark.parametrize("wanted", ['"1"', 'W/"1"', '"0", "1"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_matching_tag_is_304_without_a_body(wanted: str, method: str) -> None:
    """R6: If-None-Match, weak comparison; the tag is told, the type is not."""
    answer = dress(b"{}", head(method, if_none_match=wanted), (b"etag", b'"1"'))
    assert (answer.status, answer.body) == (304, b"")
    assert (b"etag", b'"1"') in answer.headers
    assert JSON not in answer.headers


@pytest.mark.parametrize(
    ("request_head", "status", "etag"),
    [
        (head(if_none_match='"2"'), 200, b'"1"'),
        (head("POST", if_none_match='"1"'), 200, b'"1"'),
        (head(if_none_match='"1"'), 404, b'"1"'),
        (head(if_none_match='"1"'), 200, b""),
        (head(), 200, b'"1"'),
    ],
)
def test_nothing_else_is_304(request_head: Head, status: int, etag: bytes) -> None:
    headers = [(b"etag", etag)] if etag else []
    answer = dress(b"{}", request_head, *headers, status=status)
    assert (answer.status, answer.body) == (status, b"{}")


@pytest.mark.parametrize(
    ("accepted", "passed"), [("gzip", True), ("zstd, gzip;q=0.1", True), ("zstd, gzip;q=0", False), ("", False)]
)
def test_a_body_the_service_compressed_passes_as_it_is(accepted: str, passed: bool) -> None:
    """Connect's: the work is done, whatever we would prefer, unless the client refuses it."""
    packed = gzip.compress(b"hello", mtime=0)
    kind = (b"content-type", b"application/proto")
    answer = dressed(Answer(200, [kind], Inflated.of(packed, 99)), head(accept_encoding=accepted), ID, compress=True)
    assert answer.body == (packed if passed else b"hello")
    assert ((b"content-encoding", b"gzip") in answer.headers) is passed
    assert (b"vary", b"accept-encoding") in answer.headers

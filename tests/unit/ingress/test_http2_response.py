"""Answers as header lists: what the protocol adds, drops and refuses."""

from __future__ import annotations

import pytest

from edge.ingress import http2_response
from edge.ingress.http1_response import DATE
from edge.ingress.service import Answer
from edge.wire.http1 import UnsafeFieldError
from tests.unit.keeping import FEW, LONG, kept_bytes


def test_a_head() -> None:
    fields = http2_response.head(200, [(b"content-type", b"x")], 5)
    assert fields == [
        (b":status", b"200"), (b"content-type", b"x"), (b"content-length", b"5"), (b"date", DATE.value()),
    ]  # fmt: skip


def test_a_status_no_one_has_named() -> None:
    assert http2_response.head(499, ())[0] == (b":status", b"499")


@pytest.mark.parametrize("name", [b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"proxy-connection"])
def test_fields_about_a_connection_are_left_out(name: bytes) -> None:
    assert http2_response.safe([(name, b"x"), (b"a", b"b")]) == [(b"a", b"b")]


@pytest.mark.parametrize(
    "field", [(b"x", b"a\nb"), (b"x", b"a\rb"), (b"x", b"\0"), (b"X", b"y"), (b":x", b"y"), (b"", b"y"), (b"a b", b"y")]
)
def test_unsafe_fields(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(UnsafeFieldError):
        http2_response.safe([field])
    with pytest.raises(UnsafeFieldError):
        http2_response.whole(Answer(200, (), b"x", trailers=(field,)), head_only=False)


def test_trailers_are_a_block_of_their_own_even_without_a_body() -> None:
    head, body, trailers = http2_response.whole(Answer(200, (), b"", trailers=((b"t", b"1"),)), head_only=False)
    assert (b"t", b"1") not in head
    assert (body, trailers) == (b"", [(b"t", b"1")])


@pytest.mark.parametrize(("status", "length"), [(200, b"4"), (204, None), (304, None)])
def test_lengths(status: int, length: bytes | None) -> None:
    head, body, _ = http2_response.whole(Answer(status, (), b"four"), head_only=False)
    assert dict(head).get(b"content-length") == length
    assert body == (b"four" if length else b"")
    head, body, _ = http2_response.whole(Answer(status, (), b"four"), head_only=True)
    assert (dict(head).get(b"content-length"), body) == (length, b"")


def test_fields_seen_before_are_held_to_the_same_rules() -> None:
    """What is remembered are names that were let out; no field about the connection is ever among them."""
    for _ in range(2):
        kept = http2_response.safe([(b"x-again", b"1"), (b"connection", b"close"), (b"upgrade", b"h2c")])
        assert kept == [(b"x-again", b"1")]
        assert http2_response.safe([(b"x-again", b"2")]) == [(b"x-again", b"2")]
        for bad in ((b"x-again", b"a\nb"), (b"X-Again", b"1"), (b"", b"1")):
            with pytest.raises(UnsafeFieldError):
                http2_response.safe([(b"x-again", b"1"), bad])


def test_long_names_are_not_remembered() -> None:
    """A service chooses them: they are looked at each time."""

    def say(number: int) -> None:
        field = (b"x%d" % abs(number) + b"a" * LONG, b"1")
        assert http2_response.safe([field]) == [field]

    assert kept_bytes(say) < FEW

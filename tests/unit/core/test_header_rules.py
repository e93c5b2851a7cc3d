"""Malformed header blocks, one rule of RFC 9113 a row."""

from __future__ import annotations

import pytest

from edge.core.header_rules import head_fault, request_fault, response_fault, trailers_fault
from tests.unit.keeping import FEW, LONG, kept_bytes

REQUEST = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"h")]
Fields = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    "headers",
    [
        REQUEST,
        [*REQUEST, (b"te", b"Trailers"), (b"host", b"H"), (b"x", b"")],
        [(b":method", b"OPTIONS"), (b":scheme", b"https"), (b":path", b"*")],
        [(b":method", b"CONNECT"), (b":authority", b"h:1")],
    ],
)
def test_good_requests(headers: Fields) -> None:
    assert request_fault(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        REQUEST[1:],
        REQUEST[:1] + REQUEST[2:],
        REQUEST[:2] + REQUEST[3:],
        [*REQUEST, (b":path", b"/b")],
        [*REQUEST, (b"a", b"b"), (b":protocol", b"x")],
        [(b"a", b"b"), *REQUEST],
        [*REQUEST, (b":status", b"200")],
        [*REQUEST, (b"Upper", b"x")],
        [*REQUEST, (b"", b"x")],
        [*REQUEST, (b"a b", b"x")],
        [*REQUEST, (b"a:b", b"x")],
        [*REQUEST, (b"\xc3\xa9", b"x")],
        [*REQUEST, (b"a", b"x\r\ny: z")],
        [*REQUEST, (b"a", b"\0")],
        [*REQUEST, (b"a", b" x")],
        [*REQUEST, (b"a", b"x\t")],
        [*REQUEST, (b"te", b"gzip")],
        [*REQUEST, (b"connection", b"close")],
        [*REQUEST, (b"transfer-encoding", b"chunked")],
        [*REQUEST, (b"host", b"other")],
        [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"")],
        [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"a")],
        [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"*")],
        [(b":method", b"G ET"), (b":scheme", b"http"), (b":path", b"/")],
        [(b":method", b"GET"), (b":scheme", b"http://x"), (b":path", b"/")],
        [(b":method", b"CONNECT"), (b":authority", b"h"), (b":path", b"/")],
    ],
)
def test_bad_requests(headers: Fields) -> None:
    assert request_fault(headers) is not None


EXTENDED = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *REQUEST[1:]]


def test_an_extended_connect_is_good_where_it_was_offered() -> None:
    """RFC 8441 section 4: it has a path and a scheme, like any other request; a plain one still has neither."""
    assert request_fault(EXTENDED, connect_protocol=True) is None
    assert request_fault(EXTENDED) is not None
    assert request_fault([(b":method", b"CONNECT"), (b":authority", b"h:1")], connect_protocol=True) is None


@pytest.mark.parametrize(
    "headers",
    [
        [*REQUEST, (b":protocol", b"websocket")],
        [field for field in EXTENDED if field[0] != b":path"],
        [field for field in EXTENDED if field[0] != b":scheme"],
        [field for field in EXTENDED if field[0] != b":authority"],
        [*EXTENDED, (b":protocol", b"websocket")],
        [*EXTENDED[:2], (b":authority", b"h")],
    ],
)
def test_a_bad_extended_connect(headers: Fields) -> None:
    """With another method, without a part, with one twice."""
    assert request_fault(headers, connect_protocol=True) is not None


@pytest.mark.parametrize("headers", [[(b":status", b"200")], [(b":status", b"200"), (b"grpc-message", b" spaced ")]])
def test_good_responses(headers: Fields) -> None:
    assert response_fault(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b":status", b"20")],
        [(b":status", b"abc")],
        [(b"a", b"b"), (b":status", b"200")],
        [(b":status", b"200"), (b":status", b"200")],
        [(b":status", b"200"), (b":path", b"/")],
        [(b":status", b"200"), (b"a", b"\n")],
        [(b":status", b"200"), (b"keep-alive", b"1")],
    ],
)
def test_bad_responses(headers: Fields) -> None:
    assert response_fault(headers) is not None


def test_trailers_take_no_pseudo_fields() -> None:
    assert trailers_fault([(b"grpc-status", b"0")]) is None
    assert trailers_fault([(b":status", b"200")]) is not None
    assert trailers_fault([(b"a", b"b\0")]) is not None


def test_trailers_that_were_sound_once_are_judged_by_their_values_again() -> None:
    """What is remembered are names; a name that was refused is refused each time."""
    for _ in range(2):
        assert trailers_fault([(b"x-seen", b"1"), (b"grpc-status", b"0")]) is None
        assert trailers_fault([(b"x-seen", b"a\r\nb")]) is not None
        assert trailers_fault([(b"x-seen", b"1"), (b"connection", b"close")]) is not None
        assert trailers_fault([(b"x-seen", b"1"), (b":path", b"/")]) is not None
        assert trailers_fault([(b"X-Seen", b"1")]) is not None


def test_long_names_are_not_remembered() -> None:
    """They are looked at each time, so that a client that says another one each time makes us hold next to nothing."""

    def say(number: int) -> None:
        assert trailers_fault([(b"x%d" % abs(number) + b"a" * LONG, b"1")]) is None

    assert kept_bytes(say) < FEW


@pytest.mark.parametrize(
    "more",
    [
        (b"x", b"a\r\nb"),
        (b"x", b"\0"),
        (b"X-Upper", b"1"),
        (b"", b"1"),
        (b"connection", b"close"),
        (b":path", b"/other"),
        (b":status", b"200"),
        (b":strange", b"1"),
    ],
)
def test_a_head_of_ours_is_judged_as_it_will_be_by_who_gets_it(more: tuple[bytes, bytes]) -> None:
    """Wherever the field stands among the others; and once it is gone the head is good."""
    for fields in ([*REQUEST, more], [*REQUEST, (b"x-a", b"1"), more], [*REQUEST, more, (b"x-a", b"1")]):
        assert head_fault(fields) is not None
    assert head_fault([*REQUEST, (b"te", b"trailers"), (b"x-a", b" 1 ")]) is None
    assert head_fault([(b"x-a", b"1"), *REQUEST]) is not None
    assert head_fault([*REQUEST, REQUEST[0]]) is not None
    assert head_fault(EXTENDED) is None
    assert head_fault([*REQUEST[:-1], (REQUEST[-1][0], b"h\n")]) is not None

"""Messages as they come, each at once, and ends that cannot be mistaken."""

from __future__ import annotations

import json

import pytest

from edge.core.json_framing import (
    ArrayFraming,
    EnvelopeFraming,
    EventFraming,
    Format,
    Framing,
    LineFraming,
    RawFraming,
    framing,
)

STATUS = b'{"code":13,"message":"broken","details":[]}'


def body(made: Framing, *texts: bytes) -> bytes:
    return b"".join([*(made.item(text) for text in texts), made.end()])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_is_one_json_value(count: int) -> None:
    """S3: no messages are an empty array."""
    assert json.loads(body(ArrayFraming(), *([b'{"a":1}'] * count))) == [{"a": 1}] * count


def test_lines() -> None:
    assert body(LineFraming(), b'{"a":1}', b'{"a":2}') == b'{"a":1}\n{"a":2}\n'
    assert body(LineFraming()) == b""


def test_an_envelope_says_what_a_line_is() -> None:
    """S8: grpc-gateway's lines."""
    made = EnvelopeFraming()
    assert body(made, b'{"a":1}', b"[]") == b'{"result":{"a":1}}\n{"result":[]}\n'
    assert (body(EnvelopeFraming()), made.media_type, made.one_line) == (b"", "application/json", True)


def test_events_are_numbered_on() -> None:
    """S7: a client that came back is given the numbers after its last one."""
    assert body(EventFraming(), b"1", b"2") == b"id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"
    assert body(EventFraming("41"), b"1") == b"id: 42\ndata: 1\n\n"
    assert body(EventFraming("x"), b"1") == b"id: 1\ndata: 1\n\n"
    assert body(EventFraming("9" * 5000), b"1") == b"id: 1\ndata: 1\n\n"
    assert EventFraming().item(b"1", "own") == b"id: own\ndata: 1\n\n"


def test_raw() -> None:
    assert body(RawFraming(), b"a", b"", b"b") == b"ab"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (ArrayFraming(), None),
        (RawFraming(), None),
        (LineFraming(), b'{"error":' + STATUS + b"}\n"),
        (EnvelopeFraming(), b'{"error":' + STATUS + b"}\n"),
        (EventFraming(), b"event: error\ndata: " + STATUS + b"\n\n"),
    ],
)
def test_an_error_is_told_or_cuts_the_body_short(made: Framing, told: bytes | None) -> None:
    """S5."""
    made.item(b"{}")
    assert made.error(STATUS) == told


@pytest.mark.parametrize(
    ("accept", "default", "media_type"),
    [
        ("", "array", "application/json"),
        ("*/*", "array", "application/json"),
        ("", "ndjson", "application/x-ndjson"),
        ("*/*", "ndjson", "application/x-ndjson"),
        ("application/json", "ndjson", "application/json"),
        ("application/x-ndjson", "array", "application/x-ndjson"),
        ("application/ndjson", "array", "application/ndjson"),
        ("application/jsonl, */*;q=0.1", "array", "application/jsonl"),
        ("text/event-stream", "array", "text/event-stream"),
        ("text/event-stream;q=0.5, application/json", "array", "application/json"),
        ("application/json;q=0.5, text/event-stream", "array", "text/event-stream"),
        ("application/xml", "array", "application/json"),
        ("application/xml", "ndjson", "application/x-ndjson"),
    ],
)
def test_accept_chooses(accept: str, default: Format, media_type: str) -> None:
    """S1."""
    assert framing(accept, default, "").media_type == media_type


def test_what_must_be_on_one_line() -> None:
    assert [each.one_line for each in (ArrayFraming(), RawFraming(), LineFraming(), EventFraming())] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", EnvelopeFraming),
        ("application/json, */*", EnvelopeFraming),
        ("application/x-ndjson", LineFraming),
        ("text/event-stream", EventFraming),
    ],
)
def test_the_envelope_stands_in_for_json(accept: str, kind: type[object]) -> None:
    """Clients that know better forms by their names get those."""
    assert type(framing(accept, "envelope", "")) is kind

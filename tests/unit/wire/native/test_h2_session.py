"""What is the native session's own; the rest is in tests/unit/wire/test_h2_sessions.py, for every engine."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from time import thread_time
from typing import Any

import pytest
from hyperframe.frame import SettingsFrame

from edge.core.glitches import GlitchBudget
from edge.core.grpc_frame import encode_frame
from edge.wire.session import (
    CANCEL,
    AnswerReceived,
    DataReceived,
    H2Event,
    HeadersReceived,
    Role,
    SessionSettings,
    StreamsExhausted,
    TrailersReceived,
)
from tests.unit.wire.h2_engines import needs_native
from tests.unit.wire.test_h2_sessions import REQUEST, RESPONSE, TRAILERS

pytestmark = needs_native
if needs_native.args[0] is False:
    from edge.wire.native.h2_session import NativeH2Session


def _joined(budget: Any = None) -> tuple[NativeH2Session, NativeH2Session]:
    client, server = NativeH2Session(Role.CLIENT), NativeH2Session(Role.SERVER, budget=budget)
    server.receive(client.take())
    client.receive(server.take())
    server.receive(client.take())
    return client, server


def _exchange(client: NativeH2Session, server: NativeH2Session, *, trailers: bool) -> None:
    stream = client.open(REQUEST, end=True)
    server.receive(client.take())
    server.send_headers(stream, RESPONSE, end=not trailers)
    if trailers:
        server.send_headers(stream, TRAILERS, end=True)
    client.receive(server.take())


_BODIES = {
    "empty": encode_frame(b""),
    "compressed": encode_frame(b"x", compressed=True),
    "cut": encode_frame(b"xy")[:-1],
    "two": encode_frame(b"x") * 2,
    "prefix": b"\0\0\0\0",
    "flags": b"\2\0\0\0\0",
}
"""Body bytes; only the empty message is one, whole and not compressed."""


def _answer(server: NativeH2Session, deeds: list[tuple[str, int]]) -> bytes:
    """What the peer is sent when it does this to its streams, in this order."""
    for deed, stream in deeds:
        if deed == "head":
            server.send_headers(stream, RESPONSE, end=False)
        elif deed == "data":
            server.send_data(stream, encode_frame(b"x"), end=False)
        elif deed in _BODIES:
            server.send_data(stream, _BODIES[deed], end=False)
        elif deed == "trailers":
            server.send_headers(stream, TRAILERS, end=True)
        elif deed == "interim":
            server.send_headers(stream, [(b":status", b"103")], end=False)
        elif deed == "end":
            server.send_data(stream, b"", end=True)
        else:
            server.ping(b"12345678")
    return server.take()


def _parts(events: list[H2Event | AnswerReceived]) -> list[H2Event]:
    parts: list[H2Event] = []
    for event in events:
        if isinstance(event, AnswerReceived):
            parts.append(HeadersReceived(event.stream, event.headers, end=False))
            data = encode_frame(event.message)
            parts.append(DataReceived(event.stream, data, len(data), end=False))
            parts.append(TrailersReceived(event.stream, event.trailers))
        else:
            parts.append(event)
    return parts


_WHOLE = [("head", 1), ("data", 1), ("trailers", 1)]


@pytest.mark.parametrize(
    ("deeds", "whole"),
    [
        (_WHOLE, 1),
        ([*_WHOLE, ("head", 3), ("data", 3), ("trailers", 3)], 2),
        ([("interim", 1), *_WHOLE], 1),
        ([("head", 1), ("empty", 1), ("trailers", 1)], 1),
        *(([("head", 1), (body, 1), ("trailers", 1)], 0) for body in _BODIES if body != "empty"),
        (_WHOLE[:2], 0),
        (_WHOLE[:1], 0),
        ([("head", 1), ("trailers", 1)], 0),
        ([("head", 1), ("data", 1), ("data", 1), ("trailers", 1)], 0),
        ([("head", 1), ("data", 1), ("end", 1)], 0),
        ([("head", 1), ("head", 3), ("data", 1), ("trailers", 1), ("data", 3), ("trailers", 3)], 0),
        ([("head", 1), ("data", 1), ("head", 3), ("trailers", 1), ("data", 3), ("trailers", 3)], 0),
    ],
)
def test_answers_that_are_whole_in_a_read_are_told_at_once_all_others_in_their_parts(
    deeds: list[tuple[str, int]], whole: int
) -> None:
    """Either way what is told is the same, in the same order; and so it is when the read is cut anywhere."""
    told: list[list[H2Event]] = []
    for cut in (None, *range(0, 60, 7)):
        client, server = _joined()
        for _ in range(2):
            client.open_call(REQUEST, b"")
        server.receive(client.take())
        wire = _answer(server, deeds)
        pieces = [wire] if cut is None else [wire[:cut], wire[cut:]]
        events = [event for piece in pieces for event in client.receive_answers(piece)]
        if cut is None:
            assert sum(isinstance(event, AnswerReceived) for event in events) == whole
        told.append(_parts(events))
    client, server = _joined()
    for _ in range(2):
        client.open_call(REQUEST, b"")
    server.receive(client.take())
    plain = client.receive(_answer(server, deeds))
    assert len(plain) == len(deeds)
    # A read that is cut inside a DATA frame is still one event: frames are told when they are whole.
    assert all(each == plain for each in told)


def test_nothing_is_kept_of_streams_that_ended() -> None:
    client, server = _joined()
    for number in range(3000):
        _exchange(client, server, trailers=number % 2 == 1)
    assert client.held() == server.held() == (0, 0)


def test_reset_streams_are_remembered_up_to_a_bound() -> None:
    client, _ = _joined()
    for _ in range(5000):
        client.reset(client.open(REQUEST, end=True), CANCEL)
        client.take()
    assert client.held() == (0, 1024)


@pytest.mark.slow
def test_a_stream_costs_the_same_from_the_first_to_the_last() -> None:
    """100,000 on one connection, by the best of each tenth; tests/bench/h2_sessions.py does a million."""
    client, server = _joined()
    marks = []
    for number in range(100_001):
        if number % 1000 == 0:
            marks.append(thread_time())
        _exchange(client, server, trailers=True)
    spans = [after - before for before, after in pairwise(marks)]
    first, last = min(spans[:10]) * 1000, min(spans[-10:]) * 1000
    print(f"native: first 10k streams {first:.2f} us each, last 10k {last:.2f} us (best thousand)")
    assert last < 2 * first


def test_only_what_was_asked_in_one_message_is_answered_in_one_event() -> None:
    """A stream whose reader gives back the window as it reads must be told of its bytes."""
    client, server = _joined()
    for _ in range(2):
        client.open_call(REQUEST, None)
    server.receive(client.take())
    assert client.receive_answers(_answer(server, _WHOLE)) == [
        HeadersReceived(1, RESPONSE, end=False),
        DataReceived(1, encode_frame(b"x"), 6, end=False),
        TrailersReceived(1, TRAILERS),
    ]


@pytest.mark.parametrize(("message", "fits"), [(b"", 100), (None, 65)])
def test_an_answer_told_at_once_has_been_acknowledged_and_its_parts_have_not(message: bytes | None, fits: int) -> None:
    """Of 100 answers of 16,005 bytes, with nobody acknowledging any, a connection's window of 1 MiB lets pass all, or 65."""
    client, server = _joined()
    framed = encode_frame(bytes(16_000))
    passed = 0
    for _ in range(100):
        stream, _ = client.open_call(REQUEST, message)
        server.receive(client.take())
        server.send_headers(stream, RESPONSE, end=False)
        passed += server.send_data(stream, framed, end=False) == len(framed)
        server.send_headers(stream, TRAILERS, end=True)
        client.receive_answers(server.take())
        server.receive(client.take())
    assert passed == fits


def test_send_with_is_send_headers_and_send_data() -> None:
    client, server = _joined()
    stream = client.open(REQUEST, end=True)
    server.receive(client.take())
    assert server.send_with(stream, RESPONSE, b"answer", end=True) == 6
    assert client.receive(server.take()) == [
        HeadersReceived(stream, RESPONSE, end=False),
        DataReceived(stream, b"answer", 6, end=True),
    ]
    assert server.send_with(stream, RESPONSE, b"late", end=True) == 4, "a stream that is gone takes everything"


def test_fields_known_by_identity_are_sent_as_others_are() -> None:
    """The same objects, equal ones and new ones, before and after the peer takes the table away."""
    client, server = _joined()
    fresh = [(bytes(name), bytes(value)) for name, value in REQUEST]
    shrink = SettingsFrame(0, settings={SettingsFrame.HEADER_TABLE_SIZE: 0}).serialize()
    for step in (REQUEST, REQUEST, fresh, [*REQUEST, (b"user-agent", b"new")], shrink, REQUEST, fresh, tuple(REQUEST)):
        if isinstance(step, bytes):
            client.receive(step)
            continue
        stream = client.open(step, end=True)
        block = client.take()
        assert server.receive(block)[-1] == HeadersReceived(stream, list(step), end=True)
    assert len(block) > 30, "without a table, all that is not static is spelled out"


def test_a_tuple_that_is_freed_is_not_mistaken_for_another() -> None:
    """A new tuple may get the address of an old one; what is remembered is held, so it cannot."""
    client, server = _joined()
    for number in range(500):
        path = b"/%d" % (number % 60)
        stream = client.open(
            [(b":method", b"GET"), (b":scheme", b"http"), (b":path", path), (b":authority", b"a")], end=True
        )
        (event,) = server.receive(client.take())
        assert isinstance(event, HeadersReceived)
        assert event.headers[2] == (b":path", path)
        server.reset(stream, CANCEL)
        client.receive(server.take())


@pytest.mark.parametrize("view", [bytes, bytearray, memoryview, lambda data: memoryview(b"-" + data)[1:]])
def test_data_may_be_any_bytes(view: Callable[[bytes], Any]) -> None:
    client, server = _joined()
    body = bytes(range(256)) * 200
    stream = client.open(REQUEST, end=False)
    assert client.send_data(stream, view(body), end=True) == len(body)
    events = server.receive(view(client.take()))
    assert b"".join(event.data for event in events if isinstance(event, DataReceived)) == body


def test_data_that_is_no_line_of_bytes_is_refused() -> None:
    client, _ = _joined()
    stream = client.open(REQUEST, end=False)
    mistakes: list[Any] = ["text", memoryview(b"abcd")[::2], 5]
    for bad in mistakes:
        with pytest.raises((TypeError, BufferError)):
            client.send_data(stream, bad, end=True)
        with pytest.raises((TypeError, BufferError)):
            client.open_call(REQUEST, bad)
    assert client.held() == (1, 0), "no stream was opened for what cannot be sent"
    assert client.send_data(stream, b"x", end=True) == 1


def test_headers_of_the_wrong_type_leave_the_compression_state_alone() -> None:
    """Nothing is encoded before all fields have been looked at."""
    client, server = _joined()
    with pytest.raises(TypeError):
        client.open([(b"user-agent", b"new"), (b"x", "text")], end=True)  # type: ignore[list-item]  # the mistake
    stream = client.open([*REQUEST, (b"user-agent", b"new")], end=True)
    assert server.receive(client.take()) == [HeadersReceived(stream, [*REQUEST, (b"user-agent", b"new")], end=True)]


def test_what_a_streams_state_forbids_is_a_bug_of_the_caller() -> None:
    client, server = _joined()
    stream = client.open(REQUEST, end=True)
    with pytest.raises(RuntimeError):
        client.send_data(stream, b"x", end=False)
    with pytest.raises(RuntimeError):
        client.send_headers(stream, TRAILERS, end=True)
    server.receive(client.take())
    server.send_headers(stream, RESPONSE, end=False)
    with pytest.raises(RuntimeError):
        server.send_headers(stream, [(b":status", b"100")], end=False)
    with pytest.raises(RuntimeError):
        server.send_headers(stream, TRAILERS, end=False)


@pytest.mark.parametrize(
    "bad", [{"max_frame_bytes": 100}, {"stream_window_bytes": 2**31}, {"max_concurrent_streams": -1}]
)
def test_settings_that_cannot_be_announced_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        NativeH2Session(Role.CLIENT, SessionSettings(**bad))  # type: ignore[arg-type]  # its one switch is not among them


def test_ids_run_out_as_streams_do() -> None:
    client, _ = _joined()
    for _ in range(100):
        client.open(REQUEST, end=True)
    with pytest.raises(StreamsExhausted):
        client.open(REQUEST, end=True)


class _Watched(GlitchBudget):
    """Counts how often it is earned."""

    earned = 0

    def earn(self, points: float) -> None:
        self.earned += 1
        super().earn(points)


def test_an_honest_peers_budget_is_only_looked_at() -> None:
    budget = _Watched(0.0)
    client, server = _joined(budget)
    budget.level = 0.0
    _exchange(client, server, trailers=True)
    assert budget.earned == 0
    budget.level = 50.0
    _exchange(client, server, trailers=True)
    assert budget.earned == 2
    assert budget.level == 42.0


class _Broken(GlitchBudget):
    def charge(self, points: float) -> None:
        raise ZeroDivisionError


def test_a_budget_that_raises_is_heard_and_ends_the_connection() -> None:
    client = NativeH2Session(Role.CLIENT)
    server = NativeH2Session(Role.SERVER, None, _Broken(0.0))
    with pytest.raises(ZeroDivisionError):
        server.receive(client.take())
    assert server.receive(b"") == []
    client.open(REQUEST, end=True)
    assert server.receive(client.take()) == []

"""
Both HTTP/2 engines over the same life of a connection: the same events, the same bytes to write, the same charges.

A life is a row of things the peer sends (frames good and bad, cut anywhere) and of things the owner does. The native engine gets the
peer's bytes in other pieces than the portable one. Left out are the places where the native engine follows RFC 9113 and
python-hyper does not: a reserved bit that is set (6.8, 6.9), a setting sent twice of which one is bad (6.5.3), ALTSVC that is malformed
(an extension we ignore, 5.5), a CONTINUATION of nothing on a stream that is over (6.10).
EDGE_H2_EXAMPLES=20000 makes it a long run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hpack.hpack import Encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.glitches import GlitchBudget
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import (
    ConnectionFailed,
    H2Event,
    H2Session,
    Header,
    HeadersTooLarge,
    MalformedHeaders,
    Role,
    SessionSettings,
    StreamsExhausted,
)
from tests.unit.wire.h2_engines import native, needs_native

pytestmark = needs_native
EXAMPLES = int(os.environ.get("EDGE_H2_EXAMPLES", "150"))

LIMITS = SessionSettings(
    max_concurrent_streams=4, stream_window_bytes=3000, connection_window_bytes=70_000, max_header_list_bytes=2000
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, ALTSVC = range(
    11
)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x4, 0x8, 0x20

REQUEST: list[Header] = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"h")]
RESPONSE: list[Header] = [(b":status", b"200"), (b"content-type", b"application/grpc")]

# What a peer sends. A stream is named by its place, so that most of what is made up means something: NEW, one of the last, or any number.

NEW, ABSOLUTE = 0, 100
_strange = [ABSOLUTE, ABSOLUTE + 1, ABSOLUTE + 2, ABSOLUTE + 101]
_places = st.sampled_from([1, 1, 1, 2, 2, 3, 4] * 8 + _strange)
_new_places = st.sampled_from([NEW, NEW, NEW, NEW, 1, 1, 1, 2, 3] * 6 + _strange)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


@dataclass
class Peer:
    """The other end: its compression, and which streams there are."""

    role: Role
    streams: list[int]
    encoder: Encoder = field(default_factory=Encoder)

    def stream(self, place: int) -> int:
        """The number of a stream, begun now if it is new and the peer's to begin."""
        if place >= ABSOLUTE:
            return place - ABSOLUTE
        if place == NEW and self.role is Role.SERVER:
            self.streams.append(self.streams[-1] + 2 if self.streams else 1)
        return self.streams[-max(1, place)] if len(self.streams) >= max(1, place) else 1


@dataclass
class Piece:
    """One frame on a stream."""

    kind: int
    place: int
    payload: bytes
    flags: int = 0

    def octets(self, peer: Peer) -> bytes:
        return frame(self.kind, self.flags, peer.stream(self.place), self.payload)


_HEADS: dict[str, list[Header]] = {
    "asks": REQUEST,
    "gets": [(b":method", b"GET"), *REQUEST[1:]],
    "answers": RESPONSE,
    "answers shortly": RESPONSE[:1],
    "hints": [(b":status", b"103"), (b"link", b"</x>")],
    "ends": [(b"grpc-status", b"0"), (b"grpc-message", b" spaced ")],
    "says nothing": [],
}
_USUAL = {Role.SERVER: ["asks", "gets"], Role.CLIENT: ["answers", "answers shortly"]}
_fields = st.sampled_from(
    [
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"cookie", b"a=b"),
        (b"te", b"trailers"),
        (b"host", b"H"),
        (b"x", b" a"),
        (b"content-length", b"5"),
        (b"content-length", b"05"),
        (b"content-length", b"100"),
        (b"content-length", b"-5"),
        (b"content-length", b"9" * 30),
        (b"x-a", b"1" * 300),
        (b"te", b"gzip"),
        (b"host", b"other"),
        (b"connection", b"close"),
        (b"X-Upper", b"1"),
        (b"x", b"a\nb"),
        (b":path", b"/again"),
        (b":status", b"1"),
        (b":strange", b""),
        (b"", b"empty"),
    ]
)


@dataclass
class Block:
    """A header list to be sent, in one frame or more. `says` is a key of the heads; "usual" depends on who is asked."""

    place: int
    says: str
    end: bool
    more: Sequence[Header] = ()
    padding: int | None = None
    depends_on: int | None = None
    cuts: int = 0
    ended: bool = True

    def octets(self, peer: Peer) -> bytes:
        """The frames."""
        usual = _USUAL[peer.role][len(self.more) % 2]
        block = peer.encoder.encode([*_HEADS[usual if self.says == "usual" else self.says], *self.more])
        stream = peer.stream(self.place)
        size = max(1, -(-len(block) // (self.cuts + 1)))
        parts = [block[start : start + size] for start in range(0, len(block), size)] or [b""]
        flags = END_STREAM if self.end else 0
        payload = parts[0]
        if self.depends_on is not None:
            flags |= PRIORITIZED
            payload = self.depends_on.to_bytes(4, "big") + b"\x10" + payload
        if self.padding is not None:
            flags |= PADDED
            payload = bytes((self.padding,)) + payload + bytes(self.padding)
        last = END_HEADERS if self.ended else 0
        out = frame(HEADERS, flags | (last if len(parts) == 1 else 0), stream, payload)
        for number, part in enumerate(parts[1:], 2):
            out += frame(CONTINUATION, last if number == len(parts) else 0, stream, part)
        return out


_blocks = st.builds(
    Block,
    _new_places,
    st.sampled_from(["usual"] * 12 + ["ends"] * 4 + ["hints", *_HEADS]),
    st.booleans(),
    st.lists(_fields, max_size=2),
    st.sampled_from([None] * 8 + [0, 3]),
    st.sampled_from([None] * 16 + [1, 0]),
    st.sampled_from([0] * 12 + [1, 3, 20]),
    st.sampled_from([True] * 30 + [False]),
)


def _setting(name: int, value: int) -> bytes:
    return name.to_bytes(2, "big") + value.to_bytes(4, "big")


_good_settings = st.sampled_from(
    [
        (1, 0),
        (1, 100),
        (1, 4096),
        (3, 0),
        (3, 2),
        (4, 0),
        (4, 1000),
        (4, 100_000),
        (5, 16_384),
        (5, 20_000),
        (6, 5000),
        (6, 200),
        (9, 7),
    ]
)
_bad_settings = st.sampled_from([(2, 1), (2, 2), (4, 2**31), (5, 100), (5, 2**24), (8, 2)])
_settings = st.lists(st.one_of(*[_good_settings] * 8, _bad_settings), max_size=3, unique_by=lambda pair: pair[0]).map(
    lambda pairs: frame(SETTINGS, 0, 0, b"".join(_setting(*pair) for pair in pairs))
)
_increments = st.sampled_from([1, 1000, 65_536] * 5 + [0, 2**31 - 1]).map(lambda value: value.to_bytes(4, "big"))
_bodies = st.sampled_from([b"", b"12345", bytes(100), bytes(2000), bytes(3001), bytes(16384)])


def _data(place: int, body: bytes, padding: int | None, end: bool) -> Piece:
    payload = body if padding is None else bytes((padding,)) + body[: 16384 - 1 - padding] + bytes(padding)
    return Piece(DATA, place, payload, (END_STREAM if end else 0) | (0 if padding is None else PADDED))


_data_frames = st.builds(_data, _places, _bodies, st.sampled_from([None, None, None, 0, 5]), st.booleans())
_frames = st.one_of(
    st.builds(Piece, st.just(RST_STREAM), _places, st.just(b"\0\0\0\x08")),
    st.builds(Piece, st.just(WINDOW_UPDATE), _places, _increments),
    st.builds(Piece, st.just(PRIORITY), _places, st.sampled_from([b"\0\0\0\x63\0"] * 5 + [b"\0\0\0\1\0"])),
    st.builds(frame, st.just(PING), st.integers(0, 1), st.just(0), st.just(b"12345678")),
    st.builds(
        frame, st.just(GOAWAY), st.just(0), st.just(0), st.sampled_from([b"\0\0\0\3\0\0\0\1", b"\0\0\0\0\0\0\0\0bye"])
    ),
    st.just(frame(SETTINGS, 1, 0, b"")),
    st.builds(frame, st.just(0xBB), st.integers(0, 255), st.integers(0, 9), st.binary(max_size=5)),
    _settings,
)
_odd = st.one_of(
    st.builds(Piece, st.sampled_from([*range(9), 0xCC]), _places, st.binary(max_size=12), st.integers(0, 255)),
    st.builds(Piece, st.just(HEADERS), _places, st.binary(max_size=30), st.sampled_from([4, 5])),
    st.builds(frame, st.just(CONTINUATION), st.sampled_from([0, 4]), st.just(101), st.binary(max_size=9)),
    st.binary(max_size=12),
)

# What an owner does.


@dataclass
class Deed:
    """A call of the session. `stream` is the place of one among those seen, so that it means something."""

    name: str
    stream: int = 0
    headers: Sequence[Header] = ()
    body: bytes = b""
    end: bool = False


_requests = st.lists(_fields, max_size=2).map(lambda more: [*REQUEST, *more])
_deeds = st.one_of(
    st.builds(Deed, st.just("open"), headers=st.sampled_from([REQUEST, [(b":method", b"HEAD"), *REQUEST[1:]]]), end=st.booleans()),
    st.builds(Deed, st.just("call"), headers=_requests, body=st.sampled_from([b"", b"x", bytes(70_000)]), end=st.booleans()),
    st.builds(Deed, st.just("head"), st.integers(0, 4), st.sampled_from([RESPONSE, [*RESPONSE, (b"set-cookie", b"a")]]), end=st.booleans()),
    st.builds(Deed, st.just("interim"), st.integers(0, 4)),
    st.builds(Deed, st.just("trailers"), st.integers(0, 4), st.just([(b"grpc-status", b"0")])),
    st.builds(Deed, st.just("data"), st.integers(0, 4), body=st.sampled_from([b"", b"x", bytes(1024), bytes(70_000)]), end=st.booleans()),
    st.builds(Deed, st.just("acknowledge"), st.integers(0, 4), body=st.sampled_from([bytes(size) for size in (1, 1200, 1500, 40_000)])),
    st.builds(Deed, st.just("reset"), st.integers(0, 4)),
    st.builds(Deed, st.just("ping")),
    st.builds(Deed, st.just("go_away"), st.integers(-1, 9)),
)  # fmt: skip


def _each(sessions: Iterable[H2Session], call: Callable[[H2Session], Any]) -> list[Any]:
    """What each session said."""
    return [call(session) for session in sessions]


@dataclass
class Owner:
    """Keeps to what the state of a stream allows, as every caller must; what the peer has ended meanwhile is the session's to know."""

    role: Role
    seen: list[int] = field(default_factory=list)
    headed: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)

    def act(self, deed: Deed, *sessions: H2Session) -> list[Any]:
        """What each session said to it."""
        if deed.name == "open":
            return self._open(deed, *sessions)
        if deed.name == "call":
            return self._call(deed, *sessions)
        if deed.name == "ping":
            return _each(sessions, lambda session: session.ping(b"pingping"))
        if deed.name == "go_away":
            last = (
                None if deed.stream < 0 else deed.stream
            )  # not before a stream: to h2, one that refused all is idle still
            return _each(sessions, lambda session: session.go_away(last_stream=last)) if self.seen else []
        if deed.stream >= len(self.seen):
            return []
        stream = self.seen[-1 - deed.stream]
        if deed.name == "acknowledge":
            return _each(sessions, lambda session: session.acknowledge(stream, len(deed.body)))
        if deed.name == "reset":
            self.ended.add(stream)
            return _each(sessions, lambda session: session.reset(stream, 8))
        return self._send(deed, stream, *sessions)

    def _open(self, deed: Deed, *sessions: H2Session) -> list[Any]:
        told: list[Any] = []
        for session in sessions:
            try:
                told.append(session.open(deed.headers, end=deed.end))
            except StreamsExhausted:
                told.append(None)
        if told[0] is not None:
            self.seen.append(told[0])
            self.headed.add(told[0])
            if deed.end:
                self.ended.add(told[0])
        return told

    def _call(self, deed: Deed, *sessions: H2Session) -> list[Any]:
        """Without `end`, one whose messages are sent by and by."""
        told: list[Any] = []
        for session in sessions:
            try:
                told.append(session.open_call(deed.headers, deed.body if deed.end else None))
            except (StreamsExhausted, HeadersTooLarge, MalformedHeaders) as error:
                told.append((type(error), str(error)))
        stream, left = told[0]
        if isinstance(stream, int):
            self.seen.append(stream)
            self.headed.add(stream)
            if deed.end and not left:
                self.ended.add(stream)
        return told

    def _send(self, deed: Deed, stream: int, *sessions: H2Session) -> list[Any]:
        headed, ended = stream in self.headed, stream in self.ended
        if ended or headed != (deed.name in {"trailers", "data"}):
            return []
        if deed.name == "data":
            told = _each(sessions, lambda session: session.send_data(stream, deed.body, end=deed.end))
            if deed.end and told[0] == len(deed.body):
                self.ended.add(stream)
            return told
        end = deed.end if deed.name == "head" else deed.name == "trailers"
        headers = deed.headers or [(b":status", b"100")]
        if deed.name != "interim":
            self.headed.add(stream)
        if end:
            self.ended.add(stream)
        return _each(sessions, lambda session: session.send_headers(stream, headers, end=end))


def told(events: Iterable[H2Event]) -> list[Any]:
    """Events as far as engines must agree: the reason of a failure is each one's own wording."""
    out: list[Any] = []
    for event in events:
        if isinstance(event, ConnectionFailed):
            out.append(("ConnectionFailed", event.code))
            continue
        fields = [list(map(tuple, value)) if isinstance(value, list) else value for value in event]
        out.append((type(event).__name__, *fields))
    return out


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


class Frames:
    """Follows the frames of what a peer sends, to tell where the engines are known to differ."""

    def __init__(self) -> None:
        self._data = b""
        self._in_block = False

    def disputed(self, data: bytes) -> bool:
        """Whether a frame that `data` completes is one of those."""
        self._data += data
        while len(self._data) >= 9:
            size, kind, flags = int.from_bytes(self._data[:3], "big"), self._data[3], self._data[4]
            if len(self._data) < 9 + size:
                return False
            payload, self._data = self._data[9 : 9 + size], self._data[9 + size :]
            if self._differs(kind, payload):
                return True
            if kind in {HEADERS, PUSH_PROMISE, CONTINUATION}:
                self._in_block = not flags & END_HEADERS
        return False

    def _differs(self, kind: int, payload: bytes) -> bool:
        if kind in {WINDOW_UPDATE, GOAWAY}:
            return bool(payload) and payload[0] >= 0x80
        if kind == SETTINGS:
            names = [payload[start : start + 2] for start in range(0, len(payload), 6)]
            return len(set(names)) < len(names)
        return kind == ALTSVC or (kind == CONTINUATION and not self._in_block)


Step = Block | Piece | bytes | Deed
_steps: st.SearchStrategy[Step] = st.sampled_from("b" * 12 + "d" * 6 + "f" * 8 + "a" * 14 + "o").flatmap(
    {"b": _blocks, "d": _data_frames, "f": _frames, "a": _deeds, "o": _odd}.__getitem__
)
_lives = st.lists(_steps, min_size=12, max_size=40)


def live(role: Role, life: Sequence[Step], size: int, spent: float = 0.0) -> set[str]:
    """Lead both engines through a life; the kinds of events there were."""
    budgets = [GlitchBudget(0.0), GlitchBudget(0.0)]
    old: H2Session = PortableH2Session(role, LIMITS, budgets[0])
    new: H2Session = native()(role, LIMITS, budgets[1])
    old.take(), new.take()
    owner, frames, seen = Owner(role), Frames(), set[str]()
    peer = Peer(role, owner.seen if role is Role.CLIENT else [])
    start = frame(SETTINGS, 0, 0, b"")
    if role is Role.SERVER:
        start = PREFACE + start
    for budget in budgets:
        budget.charge(spent)
    begun: list[Step] = [Block(NEW, "asks", end=False), Block(NEW, "gets", end=False)]
    if role is Role.CLIENT:
        begun = [Deed("open", headers=REQUEST), Deed("open", headers=REQUEST), Block(1, "answers", end=False)]
    for step in (start, *begun, *life):
        if isinstance(step, Deed):
            answers = owner.act(step, old, new)
            assert answers[1:] == answers[:-1], step
        else:
            data = step if isinstance(step, bytes) else step.octets(peer)
            if frames.disputed(data.removeprefix(PREFACE)):
                break
            expected = told(old.receive(data))
            found = told(event for piece in pieces(data, size) for event in new.receive(piece))
            assert found == expected, step
            seen |= {event[0] for event in expected}
            if role is Role.SERVER:
                owner.seen += [event[1] for event in expected if event[0] == "HeadersReceived"]
        assert budgets[1].level == budgets[0].level, step
        assert new.take() == old.take(), step
        assert new.can_open() == old.can_open()
    return seen


@pytest.mark.timeout(120 + EXAMPLES)
@pytest.mark.parametrize("role", Role)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(life=_lives, size=st.sampled_from([1, 2, 7, 9, 64, 100_000]), spent=st.sampled_from([0.0, 500.0, 960.0, 995.0]))
def test_the_engines_agree(role: Role, life: list[Step], size: int, spent: float) -> None:
    live(role, life, size, spent)


def test_a_life_with_everything_in_it() -> None:
    """The generator can reach what it is to compare: this life has every kind of event."""
    life: list[Step] = [
        Block(2, "hints", end=False),
        Block(2, "answers", end=False, padding=3, cuts=1),
        _data(1, b"12345", 5, end=False),
        Block(1, "ends", end=True),
        Deed("open", headers=REQUEST, end=True),
        Block(1, "usual", end=False, more=[(b"X-Upper", b"1")]),
        frame(PING, 1, 0, b"12345678"),
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\1\0"),
        frame(GOAWAY, 0, 0, bytes(8)),
        frame(PING, 0, 0, b"short"),
    ]
    assert live(Role.CLIENT, life, 7) == {
        "SettingsReceived",
        "HeadersReceived",
        "DataReceived",
        "TrailersReceived",
        "StreamReset",
        "PingAcknowledged",
        "WindowOpened",
        "GoAwayReceived",
        "ConnectionFailed",
    }

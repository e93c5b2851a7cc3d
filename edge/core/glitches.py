"""
One budget of misbehaviour per HTTP/2 connection, and what each oddity costs.

Owns the judgement that no single frame allows: a reset, a PING, an empty DATA is legal, thousands of them for no work are an
attack. Points are charged before the work is done, earned back by answers the client really takes and by time, so that an
honest client, however noisy, never runs out. Three quarters spent: the client is asked to move on (GOAWAY); all spent: the
connection ends. One budget for all kinds, so that an attack mixed of many is no cheaper (HAProxy's `glitches`).
Source: CVE-2023-44487, CVE-2025-8671, CVE-2024-27316, CVE-2019-9511 to 9518; reliability.md A1 to A6.
"""

from __future__ import annotations

LIMIT = 1000
"""Points until the end."""

STRAINED = 0.75
"""The share of the limit at which the client is asked to move on."""

FORGIVEN_PER_S = 20.0
"""Points that time forgives: two cancelled calls or ten pings a second, for ever."""

ANSWERED = 4
"""Points that a frame of an answer earns: a client that downloads sends up to two WINDOW_UPDATEs, or a ping, for each."""

RESET = 10
"""
A call cancelled, refused or broken soon after it began: 100 of them end a connection (Envoy: 500). What costs the gateway and
the service most is dearest.
"""

REFUSED = 4
"""A stream over the limit of concurrent ones: a client that has not read our SETTINGS yet may open some."""

LATE_FRAME = 2
"""A frame for a stream that is over: it may have crossed with our end of it."""

BROKEN_HEAD = 50
"""A header block over our limits, which we announced."""

USUAL_FIELDS = 200
"""Of one header block; crumbs of a cookie count."""

MAX_INTERIMS = 100
"""1xx heads of one answer; at one more its stream is broken. A service has no budget, and could go on for as long as the call may last."""

EMPTY_DATA = 5
SETTINGS = 5
CONTROL = 2
"""PING, PRIORITY, WINDOW_UPDATE, what we do not know: 500 of them, unprovoked, end a connection."""

_DATA, _HEADERS, _PRIORITY, _RST_STREAM, _SETTINGS = 0x0, 0x1, 0x2, 0x3, 0x4
_PUSH_PROMISE, _PING, _GOAWAY, _WINDOW_UPDATE, _CONTINUATION = 0x5, 0x6, 0x7, 0x8, 0x9
_END_STREAM, _PADDED = 0x1, 0x8

_COST = {
    _HEADERS: 0,  # judged by what becomes of the stream
    _CONTINUATION: 0,  # bounded for each block
    _RST_STREAM: 0,  # judged by what it resets
    _PRIORITY: CONTROL,
    _SETTINGS: SETTINGS,
    _PUSH_PROMISE: 0,  # ends a connection to a server at once
    _PING: CONTROL,
    _GOAWAY: SETTINGS,
    _WINDOW_UPDATE: CONTROL,
}


def frame_cost(kind: int, flags: int, size: int, first: int) -> int:
    """What a frame costs by its head alone. `size` is its payload's, `first` the payload's first byte (0 when there is none)."""
    if kind != _DATA:
        return _COST.get(kind, CONTROL)
    if flags & _END_STREAM:
        return 0
    padding = first + 1 if flags & _PADDED else 0
    return EMPTY_DATA if size <= padding else 0


def fields_cost(count: int) -> int:
    """What a header block of so many fields costs: twice what a request may have is free, after that reading each is the attack."""
    return max(0, count - USUAL_FIELDS)


class GlitchBudget:
    """The points one connection has spent. `advance` with the clock before charging; the level never falls below zero."""

    __slots__ = ("_limit", "_now", "level")

    def __init__(self, now: float, limit: float = LIMIT) -> None:
        self._limit = limit
        self._now = now
        self.level = 0.0

    def lower(self, limit: float) -> None:
        """Take less from this peer (`core.suspects`)."""
        self._limit = min(self._limit, limit)

    def advance(self, now: float) -> None:
        """Let the time since the last `advance` forgive."""
        elapsed_s = max(0.0, now - self._now)
        self._now = now
        if self.level:
            self.level = max(0.0, self.level - elapsed_s * FORGIVEN_PER_S)

    def charge(self, points: float) -> None:
        """The peer did something odd."""
        self.level += points

    def earn(self, points: float) -> None:
        """The peer did something honest."""
        if self.level:
            self.level = max(0.0, self.level - points)

    @property
    def strained(self) -> bool:
        """The client should move on."""
        return self.level >= self._limit * STRAINED

    @property
    def exhausted(self) -> bool:
        """The connection must end."""
        return self.level >= self._limit

"""
An upstream with several ways to take a call: subsets that share its calls, others that stand in for it.

Owns that a call changes its way only when surely no service has begun it: for want of a connection, or after the last attempt that a
service said it did not begin (`attempts`; they are counted over all ways); never after an answer, any other reset, or a deadline. While
a way cannot be reached, its calls are chosen elsewhere at once and a connection to it is tried beside them, so that they return with the
first call after it stands. Which way is `core.traffic_shares`' decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.core.traffic_shares import TrafficShares
from edge.outcome import Fault, Refusal
from edge.upstream.call import Done, Header, MessageStream, Running, Trace, UnaryReply, UnaryRequest, Upstream

_DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024


class Destination(Upstream, Protocol):
    """A pool, or another upstream with several ways."""

    def reachable(self) -> bool:
        """Whether a call may be given to it rather than to another."""

    def probe(self) -> None:
        """Try to reach it, without a call."""


@dataclass(frozen=True, slots=True)
class Way:
    """`label` is what logs and metrics call it, `weight` its percent of the tier's calls."""

    label: str
    weight: float
    destination: Destination


@dataclass(frozen=True, slots=True)
class WayState:
    """A way, for the admin listener."""

    way: str
    tier: int
    weight: float
    reachable: bool
    calls: int


@dataclass(frozen=True, slots=True)
class RoutedState:
    """A snapshot of an upstream with several ways. `sticky` is empty where calls take turns."""

    upstream: str
    sticky: str
    ways: tuple[WayState, ...]


class RoutedUpstream:
    """
    `edge.upstream.call.Upstream`. `tiers` in order of preference; `sticky` names metadata, empty for turns.

    `calls` counts how many calls began on each way, by its label; it may outlive this object.
    """

    def __init__(
        self, name: str, tiers: Sequence[Sequence[Way]], sticky: str = "", calls: dict[str, int] | None = None
    ) -> None:
        self.name = name
        self.calls = {} if calls is None else calls
        self._tiers = tiers
        self._ways = [way for tier in tiers for way in tier]
        self._shares = TrafficShares([[way.weight for way in tier] for tier in tiers])
        self._sticky = sticky.encode()

    def reachable(self) -> bool:
        """Whether one of its ways is."""
        return any(way.destination.reachable() for way in self._ways)

    def probe(self) -> None:
        """Try to reach each."""
        for way in self._ways:
            way.destination.probe()

    def key_of(self, metadata: Sequence[Header]) -> bytes | None:
        """What a sticky call is chosen by."""
        wanted = self._sticky
        return next((value for name, value in metadata if name == wanted), None) if wanted else None

    def next(self, tried: Sequence[Way], key: bytes | None, trace: Trace | None) -> Way | None:
        """The way for a call that was refused by those `tried`; None when there is none left that is worth trying."""
        usable = []
        for way in self._ways:
            reached = way.destination.reachable()
            if not reached:
                way.destination.probe()
            usable.append(reached and way not in tried)
        at = self._shares.choose(usable, key)
        if at is None and not tried:  # none can be reached: the one whose turn it is says why
            at = self._shares.choose([True] * len(self._ways), key)
        if at is None:
            return None
        chosen = self._ways[at]
        self.calls[chosen.label] = self.calls.get(chosen.label, 0) + 1
        if trace is not None:
            trace.via = chosen.label
        return chosen

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        """Begin one call; as `Pool.unary`."""
        call = _RoutedCall(self, request, done)
        call.begin()
        return call

    async def open_stream(
        self,
        path: bytes,
        metadata: Sequence[Header] = (),
        deadline: float | None = None,
        *,
        max_message_bytes: int = _DEFAULT_MESSAGE_BYTES,
        trace: Trace | None = None,
    ) -> MessageStream:
        """Begin a streaming call; as `Pool.open_stream`."""
        tried: list[Way] = []
        stream: MessageStream | None = None
        key = self.key_of(metadata)
        way = self.next(tried, key, trace)
        while way is not None:
            tried.append(way)
            stream = await way.destination.open_stream(
                path, metadata, deadline, max_message_bytes=max_message_bytes, trace=trace
            )
            way = self.next(tried, key, trace) if _not_begun(stream.outcome) else None
        assert stream is not None  # the first choice always finds one
        return stream

    def state(self) -> RoutedState:
        """A snapshot for the admin listener."""
        ways = (
            WayState(way.label, tier, way.weight, way.destination.reachable(), self.calls.get(way.label, 0))
            for tier, ways in enumerate(self._tiers)
            for way in ways
        )
        return RoutedState(self.name, self._sticky.decode(), tuple(ways))


def _not_begun(outcome: UnaryReply | Refusal | None) -> bool:
    """Whether a call ended because nobody could be reached: the one end after which no service can have begun it."""
    return isinstance(outcome, Refusal) and outcome.fault is Fault.UPSTREAM_UNAVAILABLE


class _RoutedCall:
    """A unary call: `edge.upstream.call.Running`."""

    __slots__ = ("_done", "_key", "_request", "_routed", "_running", "_tried")

    def __init__(self, routed: RoutedUpstream, request: UnaryRequest, done: Done) -> None:
        self._routed = routed
        self._request = request
        self._done: Done | None = done
        self._key = routed.key_of(request.metadata)
        self._tried: list[Way] = []
        self._running: Running | None = None

    def begin(self) -> None:
        way = self._routed.next(self._tried, self._key, self._request)
        assert way is not None  # the first choice always finds one
        self._go(way)

    def cancel(self) -> None:
        self._done = None
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    def _go(self, way: Way) -> None:
        self._tried.append(way)
        turn = len(self._tried)
        running = way.destination.unary(self._request, self._ended)
        if len(self._tried) == turn and self._done is not None:  # it has not ended at once, nor gone another way
            self._running = running

    def _ended(self, outcome: UnaryReply | Refusal) -> None:
        way = self._routed.next(self._tried, self._key, self._request) if _not_begun(outcome) else None
        if way is not None:
            self._go(way)
            return
        done, self._done, self._running = self._done, None, None
        if done is not None:
            done(outcome)

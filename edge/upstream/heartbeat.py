"""
Whether the other end of a connection is still there, and whether it is needed still.

Owns the connection's one timer: a peer that is silent while calls run is pinged, and given up when it does not answer; a connection
without calls ends after the idle timeout. Source: gRFC A8 (client-side keepalive).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

_MIN_TICK_S = 0.01


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a connection, in seconds."""

    keepalive_interval_s: float = 20.0
    keepalive_timeout_s: float = 5.0
    idle_timeout_s: float = 300.0


class Beating(Protocol):
    """What it needs of the connection."""

    @property
    def active(self) -> int:
        """Streams in use or promised."""

    @property
    def awaiting(self) -> bool:
        """Whether the peer owes an answer."""

    def ping(self) -> None:
        """Ask the peer for a sign of life."""

    def close(self) -> None:
        """The connection was idle for long enough."""

    def abort(self, reason: str) -> None:
        """The peer is gone."""


class Heartbeat:
    """Of one connection: `heard` and `used` are told, the rest follows. Nothing happens before `start` and after `stop`."""

    __slots__ = ("_connection", "_heard", "_loop", "_timer", "_timing", "_used")

    def __init__(self, loop: asyncio.AbstractEventLoop, timing: Timing, connection: Beating) -> None:
        self._loop = loop
        self._timing = timing
        self._connection: Beating | None = connection
        self._timer: asyncio.TimerHandle | None = None
        self._heard = self._used = loop.time()

    def start(self) -> None:
        """Watch from now on."""
        self._schedule()

    def stop(self) -> None:
        """The connection is gone: let go of it."""
        self._connection = None
        if self._timer is not None:
            self._timer.cancel()

    def heard(self) -> None:
        """Something came from the peer."""
        self._heard = self._loop.time()

    def used(self) -> None:
        """A call has ended."""
        self._used = self._loop.time()

    def _schedule(self) -> None:
        if self._connection is None:
            return
        timing = self._timing
        awaiting = self._connection.awaiting
        due = self._heard + timing.keepalive_interval_s if awaiting else self._used + timing.idle_timeout_s
        wait = min(due - self._loop.time(), timing.keepalive_interval_s, timing.idle_timeout_s)
        self._timer = self._loop.call_later(max(wait, _MIN_TICK_S), self._tick, self._connection)

    def _tick(self, connection: Beating) -> None:
        now = self._loop.time()
        if connection.awaiting and now - self._heard >= self._timing.keepalive_interval_s:
            connection.ping()
            self._timer = self._loop.call_later(
                self._timing.keepalive_timeout_s, self._ping_due, connection, self._heard
            )
        elif not connection.active and now - self._used >= self._timing.idle_timeout_s:
            connection.close()
        else:
            self._schedule()

    def _ping_due(self, connection: Beating, heard_before: float) -> None:
        if self._heard > heard_before:
            self._schedule()
        else:
            connection.abort("the service did not answer a ping")

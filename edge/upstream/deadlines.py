"""
The deadlines of the calls on one connection.

Owns that one timer serves them all: a call costs a comparison, not a timer of its own. It is armed for the nearest deadline; when that
has come, the streams still there say what is due and what comes next. Times are on the event loop's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import inf
from typing import Protocol

_RESOLUTION_S = 0.001
"""A loop may wake up so much early (uvloop's clock), and deadlines so near to each other are one wake-up."""


class Bounded(Protocol):
    """What it needs of a stream."""

    @property
    def deadline(self) -> float:
        """When the call is to end, `inf` for never."""

    def expire(self) -> None:
        """The deadline passed."""


class Deadlines:
    """Of the streams in a mapping that changes as they come and go. Only a deadline before `armed_for` needs to be watched."""

    __slots__ = ("_handle", "_loop", "_streams", "armed_for")

    def __init__(self, loop: asyncio.AbstractEventLoop, streams: Mapping[int, Bounded]) -> None:
        self._loop = loop
        self._streams = streams
        self.armed_for = inf
        self._handle: asyncio.TimerHandle | None = None

    def watch(self, deadline: float) -> None:
        """A stream with this deadline has come."""
        if deadline < self.armed_for:
            self._arm(deadline)

    def close(self) -> None:
        """No stream is left, and none will come."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, deadline: float) -> None:
        self.close()
        self.armed_for = deadline
        self._handle = self._loop.call_at(deadline, self._fire)

    def _fire(self) -> None:
        self._handle, self.armed_for = None, inf
        now = self._loop.time() + _RESOLUTION_S
        due = [stream for stream in self._streams.values() if stream.deadline <= now]
        for stream in due:
            stream.expire()
        self.watch(min((stream.deadline for stream in self._streams.values()), default=inf))

"""
A deadline that moves often and passes rarely.

Owns one loop timer per connection at most: moving the deadline later, the case of every request on a kept connection, is an
attribute store; only a deadline earlier than the armed one costs a new timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf


class LazyTimer:
    """Calls `expired` once the deadline set last has passed. Deadlines are on the loop's clock."""

    __slots__ = ("_armed_for", "_deadline", "_expired", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._deadline = self._armed_for = inf
        self._handle: asyncio.TimerHandle | None = None

    def at(self, deadline: float) -> None:
        """Move the deadline."""
        self._deadline = deadline
        if deadline < self._armed_for:
            self._arm()

    def by(self, deadline: float) -> None:
        """No later than this: an earlier deadline stays."""
        if deadline < self._deadline:
            self.at(deadline)

    def off(self) -> None:
        """No deadline for now; the armed timer, if any, finds that out by itself."""
        self._deadline = inf

    def close(self) -> None:
        """Never again; what it would have called is let go."""
        self._expired = _nothing
        self._deadline = inf
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = self._deadline
        self._handle = self._loop.call_at(self._deadline, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._armed_for = inf
        # A loop may wake up to its clock's resolution early (1 ms in uvloop).
        if self._deadline <= self._loop.time() + 0.002:
            self._deadline = inf
            self._expired()
        elif self._deadline != inf:
            self._arm()


def _nothing() -> None:
    """What a closed timer calls."""

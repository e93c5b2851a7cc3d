"""
Answers that wait for clients who do not take them, and whose must go when they become too much.

Owns the bound on what slow readers hold of a worker's memory all together, which no limit per stream or connection gives: a thousand
streams without a window cost the attacker one packet each, and us a finished answer each, until their time is over. Over the limit
the holder with the most byte-seconds loses what waits: the bytes it holds times how long it has taken nothing worth the name, so that
one who reads steadily, however slowly, comes last. Envoy's overload manager resets high-memory streams by the same reasoning.
Bounded: a holder is an open connection, and forgotten once it holds nothing. Source: CVE-2019-9517; reliability.md A6, R12.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

H = TypeVar("H", bound=Hashable)

PROGRESS_BYTES = 1024
"""What a reader must take for it to count."""


@dataclass(slots=True)
class _Held:
    size: int
    since: float  # the last progress, or the beginning


class Backlog(Generic[H]):
    """Bytes held by each holder, `limit_bytes` together."""

    __slots__ = ("_held", "_limit_bytes", "total_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: dict[H, _Held] = {}
        self.total_bytes = 0

    def change(self, holder: H, size: int, now: float) -> None:
        """`size` more bytes wait for `holder`; fewer, when negative."""
        held = self._held.get(holder)
        if held is None:
            held = self._held[holder] = _Held(0, now)
        held.size += size
        self.total_bytes += size
        if size <= -PROGRESS_BYTES:
            held.since = now
        if held.size <= 0:
            del self._held[holder]

    def heaviest(self, now: float) -> H | None:
        """Who must give up what waits for him; None while there is room."""
        if self.total_bytes <= self._limit_bytes:
            return None
        return max(self._held, key=lambda holder: self._weight(self._held[holder], now))

    @staticmethod
    def _weight(held: _Held, now: float) -> float:
        return held.size * max(now - held.since, 0.001)  # what has just begun to wait is told apart by its size

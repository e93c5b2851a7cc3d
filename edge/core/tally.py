"""
A histogram's counts between two publications.

Owns the counting of values into buckets at the cost of one bisection. Upper bounds are inclusive (Prometheus `le`), the last
bucket is unbounded. Counts are per bucket, not cumulative.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Tally:
    """Counts of values under ascending `bounds`, and their sum."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self.counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def take(self) -> tuple[list[int], float]:
        """The counts and the sum since the last `take`, which start at zero again."""
        counts, total = self.counts, self.total
        self.counts, self.total = [0] * len(counts), 0.0
        return counts, total

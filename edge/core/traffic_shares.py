"""
Which of several ways a call takes: shares within a tier, tiers in order.

Owns the choice. While all ways are usable, every run of as many calls as the weights sum to (in lowest terms) holds each way exactly as
often as it weighs, spread evenly: nginx's smooth weighted round robin. A way that is not usable gives its part to the others of its tier
and takes it back with the next call; a tier without one gives way to the next. With a key the choice depends on the key alone: equal
keys go one way, and only those of a way that is not usable go elsewhere. Source: https://github.com/nginx/nginx/commit/52327e0627f4.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import gcd

SCALE = 100
"""Weights are percent in steps of 0.01."""


class TrafficShares:
    """`tiers` are weights in percent; ways are numbered through all tiers. A way of weight 0 is never chosen."""

    def __init__(self, tiers: Sequence[Sequence[float]]) -> None:
        scaled = [[round(weight * SCALE) for weight in tier] for tier in tiers]
        self._tiers: list[list[int]] = []
        self._weights: list[int] = []
        for tier in scaled:
            first, unit = len(self._weights), gcd(*tier) or 1
            self._weights += [weight // unit for weight in tier]
            self._tiers.append([first + at for at, weight in enumerate(tier) if weight])
        self._owed = [0] * len(self._weights)

    def choose(self, usable: Sequence[bool], key: bytes | None = None) -> int | None:
        """The way of the next call, None when no way is usable."""
        for tier in self._tiers:
            ways = [way for way in tier if usable[way]]
            if len(ways) == 1:
                return ways[0]
            if ways:
                return self._in_turn(ways) if key is None else self._by_key(tier, usable, key)
        return None

    def _in_turn(self, ways: Sequence[int]) -> int:
        owed, chosen, total = self._owed, ways[0], 0
        for way in ways:
            owed[way] += self._weights[way]
            total += self._weights[way]
            if owed[way] > owed[chosen]:
                chosen = way
        owed[chosen] -= total
        return chosen

    def _by_key(self, tier: Sequence[int], usable: Sequence[bool], key: bytes) -> int:
        """The key's own way; where that is not usable, one of the others, spread by another hash of the key."""
        own = self._at(tier, key, b"")
        return own if usable[own] else self._at([way for way in tier if usable[way]], key, b"elsewhere")

    def _at(self, ways: Sequence[int], key: bytes, salt: bytes) -> int:
        # Not Python's hash: all workers, replicas and restarts must agree.
        point = int.from_bytes(blake2b(key, digest_size=8, salt=salt).digest())
        at = point * sum(self._weights[way] for way in ways) >> 64
        for way in ways:
            at -= self._weights[way]
            if at < 0:
                return way
        raise AssertionError("the point lies within the sum")

"""
Exponential backoff: how long to wait after the n-th failure in a row.

Owns the curve alone; who fails, and the clock, are the caller's. Jitter keeps a fleet of gateways from knocking on a
returning service in step. Source: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md, with shorter times.
"""

from __future__ import annotations

JITTER = 0.2
"""A delay varies by this share either way, as connection-backoff.md has it."""


def delay_s(failures: int, *, initial_s: float, max_s: float, rand: float) -> float:
    """
    Seconds to wait after `failures` (1 or more) failures in a row.

    `rand` in [0, 1) picks the place in the jitter: the result lies within 20 % of min(max_s, initial_s * 2^(failures - 1)).
    """
    doublings = min(failures - 1, 62)  # 2^62 of anything is past any maximum, and 2.0**1024 would overflow
    return min(max_s, initial_s * 2.0**doublings) * (1 - JITTER + 2 * JITTER * rand)

"""
How long a source waits after the n-th failure in a row.

Owns the curve: doubling from half a second to half a minute, a fifth either way by chance, so that a mesh of gateways does not knock
on a returning agent in step.
"""

from __future__ import annotations

INITIAL_S = 0.5
MAX_S = 30.0
JITTER = 0.2


def backoff_s(failures: int, rand: float) -> float:
    """Seconds to wait after `failures` (1 or more); `rand` in [0, 1) picks the place in the jitter."""
    return min(MAX_S, INITIAL_S * 2.0 ** min(failures - 1, 16)) * (1 - JITTER + 2 * JITTER * rand)

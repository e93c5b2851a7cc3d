"""
When a worker process that died is started again.

Owns the backoff: a worker that had served for a while comes back at once, one that keeps dying comes back ever more slowly,
and one that never once became ready is given up. Seconds everywhere; the caller owns the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

# Past this many doublings the delay is at its ceiling anyway; without a cap the power overflows a float after 1,023 deaths.
_MAX_DOUBLINGS = 30


@dataclass(slots=True)
class Respawn:
    """
    The history of one worker slot.

    `healthy_s` is how long a worker must have served for its death to count as an accident rather than a loop: short
    enough that a worker killed every two seconds is back at once each time.
    """

    initial_s: float = 0.1
    max_s: float = 5.0
    healthy_s: float = 1.0
    give_up_after: int = 4
    failures: int = 0
    was_ever_ready: bool = False

    def died(self, served_s: float | None) -> float:
        """The delay before the next start, after a worker that served for `served_s`, or None if it never got ready."""
        if served_s is not None:
            self.was_ever_ready = True
            if served_s >= self.healthy_s:
                self.failures = 0
                return 0.0
        self.failures += 1
        return min(self.max_s, self.initial_s * 2.0 ** min(self.failures - 1, _MAX_DOUBLINGS))

    @property
    def is_hopeless(self) -> bool:
        """Whether starting it again is pointless: it failed too often and never once got ready."""
        return not self.was_ever_ready and self.failures >= self.give_up_after

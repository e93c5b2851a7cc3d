"""
The index of one blocking query: what to ask for next, and how long the answer may take.

Owns Consul's rules for it: an index is opaque and only compared for "went backwards", which starts over at 0; an index below 1
counts as 1, because at 0 a query never blocks and the loop would spin; a failure starts over too, since the agent that answers
next may be another. Source: https://developer.hashicorp.com/consul/api-docs/features/blocking.
"""

from __future__ import annotations

MAX_WAIT_S = 600.0
"""The longest wait a Consul agent grants."""

_GRACE_S = 10.0


def answer_timeout_s(wait_s: float) -> float:
    """How long a client waits for an answer: the server adds up to a sixteenth of `wait_s` as jitter, the network some more."""
    return wait_s * 17 / 16 + _GRACE_S


class BlockingIndex:
    """The index of one path and its parameters; never shared between two."""

    def __init__(self) -> None:
        self.value = 0
        """What the next query asks for; 0 does not block."""

    def heard(self, received: int | None) -> bool:
        """An answer came; whether Consul started counting anew (restored, rebuilt, another cluster)."""
        index = max(received or 0, 1)
        went_back = index < self.value
        self.value = 0 if went_back else index
        return went_back

    def failed(self) -> None:
        """No answer, or an error: ask without waiting next time."""
        self.value = 0


class Pace:
    """A token bucket over the queries of one loop: answers that come at once must not make it spin. `now` in seconds."""

    def __init__(self, *, per_s: float = 1.0, burst: int = 5) -> None:
        self._per_s = per_s
        self._burst = burst
        self._level = float(burst)
        self._at: float | None = None

    def delay_s(self, now: float) -> float:
        """Take one token; the seconds to wait before the query may go out."""
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._level = min(float(self._burst), self._level + elapsed * self._per_s) - 1
        return max(0.0, -self._level / self._per_s)

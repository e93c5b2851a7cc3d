"""
Refuse calls past the number that one process may run at once.

Owns the process's last line against overload: what is refused here costs neither memory for a waiting call nor an upstream's
time. Limits of header and body size are the ingress's, which must not even read such a request.
"""

from __future__ import annotations

from edge.core.permits import Permits
from edge.exchange import Exchange
from edge.outcome import Fault, Refusal
from edge.pipeline import Settle

_RETRY_AFTER_S = 1.0


class LimitRequest:
    """At most `max_in_flight` calls in this process; others are told to come back in a second."""

    name = "limits"

    def __init__(self, max_in_flight: int) -> None:
        self._permits = Permits(max_in_flight)
        self._refusal = Refusal(
            Fault.OVERLOADED, detail=f"{max_in_flight} calls are in flight", retry_after_s=_RETRY_AFTER_S
        )

    def admit(self, x: Exchange) -> Refusal | Settle:
        """Take a permit, held until the answer's last byte."""
        return self._give_back if self._permits.take() else self._refusal

    def _give_back(self, x: Exchange) -> None:
        self._permits.give_back()

"""
Show how many calls of each RPC are running.

Owns the in-flight gauge. It is the first policy, so that calls waiting in a later one are seen too.
"""

from __future__ import annotations

from edge.exchange import Exchange
from edge.pipeline import Settle
from edge.telemetry.metrics import Metrics


class CountInFlight:
    """Counts a call from its admission to its answer's last byte. Never refuses."""

    name = "in_flight"

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def admit(self, x: Exchange) -> Settle:
        """Count one more; the settlement counts one less."""
        counts = self._metrics.of(x.target)
        counts.began()
        return counts.finished

"""
Report every request that has ended: its metrics and its access-log line.

Owns that each is reported exactly once, admitted or not. It is the pipeline's observer, so it runs after every policy has
settled and its duration covers all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.exchange import Exchange
from edge.telemetry.access_log import AccessLog
from edge.telemetry.metrics import Metrics


class LogAccess:
    """Counts and logs. `clock` is the one of `Exchange.started`; without `access_log`, metrics only."""

    def __init__(self, metrics: Metrics, access_log: AccessLog | None, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._clock = clock

    def observe(self, x: Exchange) -> None:
        """A `Settle` for `Pipeline(observers=...)`."""
        duration_s = self._clock() - x.started
        self._metrics.of(x.target).ended(x, duration_s)
        if x.refusal is not None:
            self._metrics.failed(x.refusal.fault)
        if self._access_log is not None:
            self._access_log.write(x, duration_s)

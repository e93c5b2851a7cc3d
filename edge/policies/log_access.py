"""
Report every request that has ended: its metrics and its access-log line.

Owns that each is reported exactly once, admitted or not. It is the pipeline's observer, so it runs after every policy has
settled and its duration covers all of them. Reporting is done in batches, off the requests' path: the same work on sixty exchanges
in a row costs half of what it costs between other work. An exchange is final once it is observed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from edge.exchange import Exchange
from edge.telemetry.access_log import AccessLog
from edge.telemetry.metrics import Metrics

_log = structlog.get_logger("edge.call")

BATCH = 64
DELAY_S = 0.01
"""What a quiet gateway's line waits for others; with the writer's own delay it is what a killed process loses."""


class LogAccess:
    """Counts and logs. `clock` is the one of `Exchange.started`; without `access_log`, metrics only. Use it on the loop's thread."""

    def __init__(self, metrics: Metrics, access_log: AccessLog | None, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._clock = clock
        self._ended: list[tuple[Exchange, float]] = []
        self._timer: asyncio.TimerHandle | None = None
        metrics.before_publishing(self.report)

    def observe(self, x: Exchange) -> None:
        """A `Settle` for `Pipeline(observers=...)`."""
        self._ended.append((x, self._clock()))
        if len(self._ended) >= BATCH:
            self.report()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self._due)

    def _due(self) -> None:
        self._timer = None
        self.report()

    def report(self) -> None:
        """Report what has ended."""
        ended, self._ended = self._ended, []
        metrics = self._metrics
        target, counts = None, metrics.of(None)
        for x, at in ended:
            try:
                if x.target is not target:  # calls of one RPC come in runs
                    target, counts = x.target, metrics.of(x.target)
                counts.ended(x, at - x.started)
                if x.refusal is not None:
                    metrics.failed(x.refusal.fault)
            except Exception:  # noqa: BLE001  # a bug of ours must not cost the others of the batch
                _log.exception("a call could not be counted", request_id=x.request_id)
        if self._access_log is not None and ended:
            self._access_log.write(ended, self._clock())

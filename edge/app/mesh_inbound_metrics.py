"""
What is told in metrics of being called from the mesh: verdicts, refused peers, ended connections, and whether intentions are current.

Owns these names. Labels are closed sets (verdicts, checks of a certificate, reasons, alarms) and who we are: where no listener serves the
mesh there is no series. Workers see the same mesh, so the worst of them counts for the gauges.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from edge.core.consul_last_good import Alarm

if TYPE_CHECKING:
    from edge.app.mesh_inbound import MeshInbound


class MeshInboundMetrics:
    """Of one worker."""

    def __init__(self, registry: CollectorRegistry, inbound: Callable[[], MeshInbound | None]) -> None:
        self._inbound = inbound
        self._published: Counts[tuple[Counter, str]] = Counts()

        def gauge(name: str, text: str, *labels: str, worst: str = "livemax") -> Gauge:
            return Gauge(name, text, labels, registry=registry, multiprocess_mode=worst)  # type: ignore[arg-type]  # one of its modes

        def counter(name: str, text: str, label: str) -> Counter:
            return Counter(name, text, [label], registry=registry)

        self._verdicts = counter("edge_intention_decisions", "Requests from the mesh by verdict", "verdict")
        self._refused = counter("edge_mesh_connections_refused", "Callers whose certificate proved nothing", "check")
        self._ended = counter("edge_mesh_connections_ended", "Callers' connections told to end", "reason")
        self._listed = gauge("edge_intentions", "Intentions about calls to us", "service", worst="livemin")
        self._known = gauge("edge_intentions_known", "1 once Consul has told them", "service", worst="livemin")
        self._default = gauge("edge_intentions_default_allow", "1 where what none speaks of is allowed", "service")
        self._age = gauge("edge_intentions_age_seconds", "Since Consul last told them", "service")
        self._alarm = gauge("edge_intentions_alarm", "1 while the last good ones are kept", "service", "alarm")

    def publish(self) -> None:
        """Set them all; nothing where no listener serves the mesh."""
        inbound = self._inbound()
        if inbound is None:
            return
        for verdict, count in inbound.verdicts.items():
            self._add(self._verdicts, verdict.value, count)
        for check, count in inbound.refused.items():
            self._add(self._refused, check, count)
        for ending, count in inbound.endings.items():
            self._add(self._ended, ending.value, count)
        state, known = inbound.watch_of_intentions.state(), inbound.known()
        self._known.labels(state.service).set(known is not None)
        self._listed.labels(state.service).set(0 if known is None else len(known.listed))
        self._default.labels(state.service).set(known is not None and known.default_allow)
        self._age.labels(state.service).set(state.age_s or 0)
        for alarm in Alarm:
            self._alarm.labels(state.service, alarm.value).set(state.alarm is alarm)

    def _add(self, counter: Counter, label: str, count: int) -> None:
        key = (counter, label)
        if (more := count - self._published[key]) > 0:
            counter.labels(label).inc(more)
            self._published[key] = count

"""
What is told in metrics of upstreams found in DNS or Kubernetes, and of our certificate from files or the Workload API.

Owns these names. Labels are the file's upstreams and a closed set of alarms; workers see the same world, so the worst of them counts.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from edge.app.located import Located
from edge.app.locating import Locating
from edge.core.slice_watch import WatchAlarm
from edge.kubernetes.discovery import SliceState
from edge.upstream.name_lookup import LookupState


class LocatedMetrics:
    """The gauges of one worker."""

    def __init__(self, registry: CollectorRegistry, locating: Locating) -> None:
        self._locating = locating
        self._told: set[str] = set()

        def gauge(name: str, text: str, *labels: str, worst: str = "livemax") -> Gauge:
            return Gauge(name, text, labels, registry=registry, multiprocess_mode=worst)  # type: ignore[arg-type]  # one of its modes

        self._endpoints = gauge("edge_discovery_endpoints", "Addresses that take calls", "upstream", worst="livemin")
        self._ready = gauge("edge_discovery_ready", "1 once a set was heard", "upstream", worst="livemin")
        self._age = gauge("edge_discovery_age_seconds", "Since the set was last confirmed", "upstream")
        self._lost = gauge("edge_discovery_failing", "1 while names cannot be looked up", "upstream")
        self._alarm = gauge("edge_kubernetes_alarm", "1 while the last good set is kept", "upstream", "alarm")
        self._not_after = gauge("edge_identity_not_after_seconds", "When our leaf ends, Unix time", worst="livemin")
        self._fault = gauge("edge_identity_fault", "1 while no newer certificate can be had")

    def publish(self) -> None:
        """Set them all; nothing where nothing is followed."""
        located = self._locating.located
        for gone in self._told - located.keys():
            for each in (self._endpoints, self._ready, self._age, self._lost):
                each.labels(gone).set(0)
            for alarm in WatchAlarm:
                self._alarm.labels(gone, alarm.value).set(0)
        self._told |= located.keys()
        for name, one in located.items():
            self._publish_one(name, one)
        source = self._locating.presents
        if source is not None:
            identity = source.current()
            self._not_after.set(0 if identity is None else identity.not_after)
            self._fault.set(source.fault() is not None)

    def _publish_one(self, name: str, one: Located) -> None:
        state = one.source.state()
        if not isinstance(state, SliceState | LookupState):
            return  # what the file says is neither old nor new
        self._endpoints.labels(name).set(len(state.endpoints))
        self._ready.labels(name).set(state.ready)
        self._age.labels(name).set(state.age_s or 0)
        if isinstance(state, LookupState):
            self._lost.labels(name).set(bool(state.reason))
            return
        for alarm in WatchAlarm:
            self._alarm.labels(name, alarm.value).set(state.alarm is alarm)

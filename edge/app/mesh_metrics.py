"""
What is told of the mesh in metrics: how far Consul can be believed about each upstream, and how long our certificate lasts.

Owns these names. Labels are the file's upstreams and a closed set of alarms; workers see the same mesh, so the worst of them counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

from edge.core.consul_last_good import Alarm

if TYPE_CHECKING:
    from edge.app.mesh import Mesh


class MeshMetrics:
    """The gauges of one worker."""

    def __init__(self, registry: CollectorRegistry, mesh: Callable[[], Mesh | None]) -> None:
        self._mesh = mesh
        self._told: set[str] = set()

        def gauge(name: str, text: str, *labels: str, worst: str = "livemax") -> Gauge:
            return Gauge(name, text, labels, registry=registry, multiprocess_mode=worst)  # type: ignore[arg-type]  # one of its modes

        self._instances = gauge("edge_consul_instances", "Instances that take calls", "upstream", worst="livemin")
        self._critical = gauge("edge_consul_instances_critical", "Instances known that take none", "upstream")
        self._ready = gauge("edge_consul_ready", "1 once a set was believed", "upstream", worst="livemin")
        self._age = gauge("edge_consul_age_seconds", "Since Consul last confirmed the set", "upstream")
        self._alarm = gauge("edge_consul_alarm", "1 while the last good set is kept", "upstream", "alarm")
        self._registered = gauge("edge_consul_registered", "1 while the gateway's registration is kept up")
        self._not_after = gauge("edge_certificate_not_after_seconds", "When our leaf ends, Unix time", worst="livemin")
        self._fault = gauge("edge_certificate_fault", "1 while no newer certificate can be had")
        self._generation = gauge("edge_certificate_generation", "Identities upstream connections were made with")

    def publish(self) -> None:
        """Set them all; nothing where nothing is followed."""
        mesh = self._mesh()
        if mesh is None:
            return
        for gone in self._told - mesh.followed.keys():
            for each in (self._instances, self._critical, self._ready, self._age):
                each.labels(gone).set(0)
            for alarm in Alarm:
                self._alarm.labels(gone, alarm.value).set(0)
        self._told |= mesh.followed.keys()
        for name, followed in mesh.followed.items():
            state = followed.state()
            self._instances.labels(name).set(len(state.instances))
            self._critical.labels(name).set(state.critical)
            self._ready.labels(name).set(state.ready)
            self._age.labels(name).set(state.age_s or 0)
            for alarm in Alarm:
                self._alarm.labels(name, alarm.value).set(state.alarm is alarm)
        if mesh.registration is not None:
            self._registered.set(mesh.registration.state().registered)
        self._publish_certificate(mesh)

    def _publish_certificate(self, mesh: Mesh) -> None:
        source = mesh.presents
        if source is None:
            return
        identity = source.current()
        self._not_after.set(0 if identity is None else identity.not_after)
        self._fault.set(source.fault() is not None)
        peers = [each.peers for each in mesh.followed.values() if each.peers is not None]
        self._generation.set(max((each.generation for each in peers), default=0))

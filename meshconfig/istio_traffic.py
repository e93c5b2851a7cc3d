"""
How calls to a service are made, in Istio: mutual TLS and subsets (DestinationRule), timeouts, retries, weights (VirtualService).

Owns nothing that allows a call. Hosts are short names: the resources stand in the service's own namespace, where they mean this service
whatever the cluster's domain is. Retries are always said, for Istio tries twice more where nothing is. Source: mesh.md 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshconfig.kubernetes_object import Manifest, manifest, object_name
from meshconfig.kubernetes_units import shares, single_unit
from meshconfig.plan import MeshPlan, PlannedService

_DESTINATION = ("networking.istio.io/v1", "DestinationRule")
_VIRTUAL = ("networking.istio.io/v1", "VirtualService")


def traffic(plan: MeshPlan, service: PlannedService) -> Iterator[tuple[Manifest, str]]:
    """The service's resources; a VirtualService only where something is asked for."""
    name, namespace = object_name(service.service, "edge"), service.namespace
    spec: dict[str, Any] = {"host": service.service, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}
    if service.split is not None:
        spec["subsets"] = [
            {"name": subset, "labels": dict(sorted(given.labels.items()))}
            for subset, given in sorted(service.split.subsets.items())
        ]
    yield manifest(plan, _DESTINATION, namespace, name, {"spec": spec}), "mutual TLS, and the subsets"
    if service.by_rpc and (service.timeout_s is not None or service.retries is not None or shares(service.split)):
        body = {"spec": {"hosts": [service.service], "http": [_route(service)]}}
        yield manifest(plan, _VIRTUAL, namespace, name, body), "timeouts, retries and weights"


def _route(service: PlannedService) -> dict[str, Any]:
    divided = shares(service.split)
    route: dict[str, Any] = {"route": [{"destination": {"host": service.service}}]}
    if divided:
        route["route"] = [
            {"destination": {"host": service.service, "subset": subset}, "weight": share}
            for subset, share in divided.items()
        ]
    if service.timeout_s is not None:
        route["timeout"] = single_unit(service.timeout_s)
    retries = service.retries
    route["retries"] = {"attempts": 0}
    if retries is not None:
        route["retries"] = {"attempts": retries.attempts, "retryOn": ",".join(retries.on)}
    return route

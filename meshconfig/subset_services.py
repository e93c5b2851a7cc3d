"""
Subsets as Services of their own: what Gateway API's and Linkerd's weights can name.

Owns their names, which always carry a hash: `a-b` of `c` must not be `a` of `b-c`, and none must be a Service of the user's.
"""

from __future__ import annotations

from typing import Any

from meshconfig.kubernetes_object import SERVICE, Manifest, digest, manifest, object_name, pods_of
from meshconfig.kubernetes_units import shares
from meshconfig.plan import MeshPlan, PlannedService

_PROTOCOLS = {"grpc": "kubernetes.io/h2c", "http2": "kubernetes.io/h2c", "http": "http"}
"""`appProtocol: grpc` would make the port opaque to Linkerd."""


def subset_services(plan: MeshPlan, service: PlannedService) -> tuple[Manifest, ...]:
    """A Service for each subset that gets calls."""
    return tuple(_service(plan, service, name) for name in shares(service.split))


def backends(service: PlannedService) -> list[dict[str, Any]]:
    """Where a route's calls go: the subsets by weight, or the service."""
    divided = shares(service.split)
    if not divided:
        return [{"name": service.service, "port": service.port}]
    return [
        {"name": subset_name(service, name), "port": service.port, "weight": share} for name, share in divided.items()
    ]


def subset_name(service: PlannedService, subset: str) -> str:
    """The Service of a subset."""
    return object_name(service.service, subset, digest(service.service, subset), limit=SERVICE)


def _service(plan: MeshPlan, service: PlannedService, subset: str) -> Manifest:
    assert service.split is not None
    port: dict[str, Any] = {"name": f"port-{service.port}", "port": service.port, "targetPort": service.port}
    if service.protocol in _PROTOCOLS:
        port["appProtocol"] = _PROTOCOLS[service.protocol]
    spec = {"selector": {**pods_of(service), **service.split.subsets[subset].labels}, "ports": [port]}
    return manifest(plan, ("v1", "Service"), service.namespace, subset_name(service, subset), {"spec": spec})

"""
How calls to a service are made by its callers' proxies, in Linkerd: timeouts and retries as annotations of a route, and division by weight.

Owns nothing that allows a call. A division needs a Service for each subset, which is made; the Service itself is the user's, and is taken
to listen on the port its pods do. Source: mesh.md 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshconfig.kubernetes_object import Manifest, manifest, object_name
from meshconfig.kubernetes_units import shares, single_unit
from meshconfig.plan import MeshPlan, PlannedService
from meshconfig.route_rules import GRPC_ROUTE, HTTP_ROUTE, catch_all
from meshconfig.subset_services import backends, subset_services

_HTTP_STATUS = {
    "cancelled": "499", "deadline-exceeded": "504", "internal": "500", "resource-exhausted": "429", "unavailable": "503",
}  # fmt: skip
"""What HTTP proxies see of a gRPC status that reached them as one of HTTP (google/rpc/code.proto)."""


def outbound(plan: MeshPlan, service: PlannedService) -> Iterator[tuple[Manifest, str]]:
    """A route of every call to the service; none when its settings ask for nothing."""
    annotations = _annotations(service)
    divided = shares(service.split)
    if not annotations and not divided:
        return
    for body in subset_services(plan, service):
        yield body, "a subset, so that weights can name it"
    parent = {"group": "core", "kind": "Service", "name": service.service, "port": service.port}
    kind = GRPC_ROUTE if service.protocol == "grpc" else HTTP_ROUTE
    rules = catch_all(kind, {"backendRefs": backends(service)})
    name = object_name(service.service, "outbound")
    body = {"spec": {"parentRefs": [parent], "rules": rules}}
    yield (
        manifest(plan, kind, service.namespace, name, body, annotations),
        "how calls are made; who may call is said above",
    )


def _annotations(service: PlannedService) -> dict[str, str]:
    found = {}
    if service.timeout_s is not None:
        found["timeout.linkerd.io/request"] = single_unit(service.timeout_s)
    if service.retries is not None:
        if service.protocol == "grpc":
            found["retry.linkerd.io/grpc"] = ",".join(service.retries.on)
        else:
            found["retry.linkerd.io/http"] = ",".join(_HTTP_STATUS[status] for status in service.retries.on)
        found["retry.linkerd.io/limit"] = str(service.retries.attempts)
    return found

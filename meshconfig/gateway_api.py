"""
The plan as Gateway API resources: how calls reach a service within the mesh (GAMMA), and a Gateway in front of the edge gateway.

Owns that a service's routes name exactly the RPCs anybody is allowed: what is in none of them finds no route. *Who* calls Gateway API does
not ask; a mesh's own policies do. Only fields of version 1.2.1 are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshconfig.document import Document, Options
from meshconfig.gateway_api_front import front
from meshconfig.kubernetes_object import Manifest, document, file_of, manifest, object_name
from meshconfig.kubernetes_units import compound
from meshconfig.kubernetes_workload import homes, workload
from meshconfig.plan import MeshPlan, PlannedService, Rpc
from meshconfig.route_rules import GRPC_ROUTE, HTTP_ROUTE, catch_all, rule_sets
from meshconfig.subset_services import backends, subset_services


def render(plan: MeshPlan, options: Options = Options()) -> tuple[Document, ...]:  # noqa: B008  # frozen
    """Every resource: the front first, then service by service."""
    before = [document("gateway-api", "front.yaml", body, reason) for body, reason in front(plan)]
    documents = [
        document("gateway-api", file_of(service), body, reason)
        for service in plan.services
        for body, reason in _service(plan, service, audit=options.audit)
    ]
    deployed = options.deploy and "gateway-api" in homes(plan)
    return (*before, *documents, *(workload(plan, "gateway-api") if deployed else ()))


def _service(plan: MeshPlan, service: PlannedService, *, audit: bool) -> Iterator[tuple[Manifest, str]]:
    if not service.by_rpc:
        return  # TCPRoute is not in the standard channel of 1.2.1
    for body in subset_services(plan, service):
        yield body, "a subset, so that weights can name it"
    kind = GRPC_ROUTE if service.protocol == "grpc" and service.timeout_s is None else HTTP_ROUTE
    more: dict[str, Any] = {"backendRefs": backends(service)}
    if service.timeout_s is not None:  # which only HTTPRoute has
        more["timeouts"] = {"request": compound(service.timeout_s)}
    rpcs: list[Rpc] = sorted({rpc for allowance in plan.callers_of(service.key) for rpc in allowance.rpcs})
    parent = {"group": "", "kind": "Service", "name": service.service, "port": service.port}
    sets = [catch_all(kind, more)] if audit else rule_sets(kind, rpcs, more)
    for number, rules in enumerate(sets, 1):
        name = object_name(service.service, "edge", str(number))
        body = {"spec": {"parentRefs": [parent], "rules": rules}}
        reason = "audit: every call has a route" if audit else "what somebody may call; nothing else has a route"
        yield manifest(plan, kind, service.namespace, name, body), reason

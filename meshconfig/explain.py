"""
Which object of which mesh lets whom call one RPC.

Owns the search: it reads what was rendered, not the plan, so that it tells what a mesh will do. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshconfig.document import Document
from meshconfig.grants import Grant
from meshconfig.grants_consul import consul_grants
from meshconfig.grants_istio import istio_grants
from meshconfig.grants_linkerd import linkerd_grants
from meshconfig.linkerd_access import server_name
from meshconfig.plan import MeshPlan, PlannedService, Rpc


def grants_of(documents: Iterable[Document]) -> list[Grant]:
    """Every allowance of what was rendered, sorted. Consul's are read once, from its entries."""
    made = list(documents)
    bodies = {
        target: [dict(each.body) for each in made if each.target == target and "apiVersion" in each.body]
        for target in ("linkerd", "istio")
    }
    entries = [dict(each.body) for each in made if each.target == "consul" and each.file.startswith("json/")]
    found = [*consul_grants(entries), *linkerd_grants(bodies["linkerd"]), *istio_grants(bodies["istio"])]
    return sorted(found, key=lambda grant: (grant.mesh, grant.callee, grant.caller, grant.via))


def explain(documents: Iterable[Document], plan: MeshPlan, rpc: Rpc) -> tuple[Grant, ...]:
    """The allowances that let this RPC in, at the services that have it."""
    offering = {
        name
        for service in plan.services
        if any(rpc in allowance.rpcs for allowance in plan.callers_of(service.key))
        for name in _names(service)
    }
    return tuple(grant for grant in grants_of(documents) if grant.allows(rpc.path) and grant.callee in offering)


def _names(service: PlannedService) -> set[str]:
    """What a service is called as a callee in Consul, Linkerd and Istio."""
    labels = ",".join(f"{key}={value}" for key, value in service.selector)
    return {service.consul_name, f"{service.namespace}/{server_name(service)}", f"{service.namespace}/{labels}"}

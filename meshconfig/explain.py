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
from meshconfig.plan import MeshPlan, Rpc


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
        for name in _names(service.namespace, service.selector, service.service, service.port) | {service.consul_name}
    }
    return tuple(grant for grant in grants_of(documents) if grant.allows(rpc.path) and grant.callee in offering)


def _names(namespace: str, selector: Iterable[tuple[str, str]], service: str, port: int) -> set[str]:
    """What a service is called as a callee in Linkerd and in Istio."""
    labels = ",".join(f"{key}={value}" for key, value in selector)
    return {f"{namespace}/{service}-{port}", f"{namespace}/{labels}"}

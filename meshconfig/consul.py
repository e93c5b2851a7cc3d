"""
The plan as Consul's config entries, in the order in which they are to be written.

Owns that order (an entry comes after what it depends on) and the marks. The same entries are files for `consul config write` (JSON and
HCL), custom resources for Kubernetes (`consul_crds`), and what `apply` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshconfig.consul_crds import custom_resource
from meshconfig.consul_front import front
from meshconfig.consul_intentions import intentions
from meshconfig.consul_traffic import (
    exported,
    jwt_provider,
    proxy_defaults,
    resolver,
    router,
    service_defaults,
    splitter,
)
from meshconfig.document import Document, Options
from meshconfig.kubernetes_workload import workload
from meshconfig.ownership import export_mark, marks, owner_of, spec_hash
from meshconfig.plan import MeshPlan

ORDER = (
    "proxy-defaults",
    "service-defaults",
    "service-resolver",
    "service-splitter",
    "service-router",
    "jwt-provider",
    "service-intentions",
    "api-gateway",
    "http-route",
    "exported-services",
)
"""Of writes; deletes go backwards. Subsets exist before what names them, a protocol before what needs it."""

_REASONS = {
    "proxy-defaults": "asked for in mesh.consul",
    "service-defaults": "the protocol by which proxies tell RPCs apart",
    "service-resolver": "subsets and failover",
    "service-splitter": "the division of calls among subsets",
    "service-router": "timeout and retries",
    "jwt-provider": "who signs the tokens the service demands",
    "service-intentions": "who may call the service, and which RPCs; everything else is denied",
    "api-gateway": "Consul's API gateway in front of the edge gateway",
    "http-route": "from Consul's API gateway to the edge gateway",
    "exported-services": "which peers may use the services",
}


def entries(plan: MeshPlan, options: Options = Options()) -> tuple[dict[str, Any], ...]:  # noqa: B008  # frozen
    """Every entry, marked as ours, in order of writing."""
    made = sorted(_made(plan, options), key=lambda entry: (ORDER.index(entry["Kind"]), entry["Name"]))
    return tuple({**entry, "Meta": _meta(plan, entry)} for entry in made)


def render(plan: MeshPlan, options: Options = Options()) -> tuple[Document, ...]:  # noqa: B008  # as above
    """The entries as JSON, HCL and custom resources."""
    documents = []
    for entry in entries(plan, options):
        kind, name, reason = entry["Kind"], entry["Name"], _REASONS[entry["Kind"]]
        stem = f"{ORDER.index(kind) + 1:02}-{kind}-{name}"  # numbered: a shell's glob writes them in the right order
        for form in ("json", "hcl"):
            documents.append(Document("consul", f"{form}/{stem}.{form}", kind, name, "", entry, reason))
        if resource := custom_resource(plan, entry):
            meta = resource["metadata"]
            file = f"kubernetes/{kind}-{name}.yaml"
            documents.append(
                Document("consul", file, resource["kind"], meta["name"], meta["namespace"], resource, reason)
            )
    return (*documents, *(workload(plan, "consul") if options.deploy else ()))


def _made(plan: MeshPlan, options: Options) -> Iterator[dict[str, Any]]:
    yield from proxy_defaults(plan)
    for service in plan.services:
        yield service_defaults(service)
        yield from resolver(service)
        yield from splitter(service)
        yield from router(service)
        yield from jwt_provider(plan, service)
        if options.audit and not any(plan.callers_of(service.key)):
            continue
        yield intentions(plan, service, audit=options.audit)
    yield from front(plan, audit=options.audit)
    yield from exported(plan)


def _meta(plan: MeshPlan, entry: dict[str, Any]) -> dict[str, str]:
    meta = marks(plan, entry)
    for service in entry["Services"] if entry["Kind"] == "exported-services" else ():
        meta[export_mark(owner_of(plan)) + service["Name"]] = spec_hash(service)
    return meta

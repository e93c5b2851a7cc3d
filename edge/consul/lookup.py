"""
What an upstream asks Consul for, as questions: paths, parameters and the permission each takes.

Owns the spelling of them. A default namespace or partition is never spelled: Consul's community edition refuses the parameters.
Source: https://developer.hashicorp.com/consul/api-docs/health, /discovery-chain, /query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from edge.consul.client import Scope, segment
from edge.consul.query import Question
from edge.core.consul_chain import Chain, Share, Target
from edge.core.consul_identity import DEFAULT, MeshService

MESH_GATEWAY = "mesh-gateway"
"""The service name mesh gateways register under, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Which instances are meant. Exactly one of `service` and `prepared` (a query's name or ID) says something."""

    service: str = ""
    prepared: str = ""
    connect: bool = False
    """Sidecars and native services, and only what the mesh would route to; else the service's own addresses."""
    gateway: Literal["", "local", "remote"] = ""
    """Reach it through mesh gateways: those of our datacenter or those of the service's. Empty: as the chain says."""
    tags: tuple[str, ...] = ()
    """All of them must be on an instance."""
    subset: str = ""
    """A named subset of the service's resolver, instead of what the chain leads to."""
    filter: str = ""
    """A filter expression of Consul's."""
    near: str = ""
    only_passing: bool = False
    """Leave out instances that warn."""
    wan: bool = False
    """Take the addresses meant for other datacenters."""
    scope: Scope = field(default_factory=Scope)

    @property
    def name(self) -> str:
        """For messages."""
        return self.service or f"query {self.prepared}"

    @property
    def follows_chain(self) -> bool:
        """Whether a discovery chain or a resolver says which targets there are; a peer's service and a query have none."""
        return bool(self.service) and not self.scope.peer and (self.connect or bool(self.subset))


def health_question(lookup: Lookup) -> Question:
    """The instances."""
    kind = "connect" if lookup.connect else "service"
    params = [("tag", tag) for tag in lookup.tags]
    params += [(name, value) for name, value in (("filter", lookup.filter), ("near", lookup.near)) if value]
    needs = f'service:read on "{lookup.service}"'
    return Question(f"/v1/health/{kind}/{segment(lookup.service)}", tuple(params), needs, lookup.scope)


def prepared_question(lookup: Lookup) -> Question:
    """A run of the prepared query."""
    params = [("connect", "true")] if lookup.connect else []
    params += [("near", lookup.near)] if lookup.near else []
    needs = f'query:read on "{lookup.prepared}"'
    return Question(f"/v1/query/{segment(lookup.prepared)}/execute", tuple(params), needs, lookup.scope)


def chain_question(lookup: Lookup) -> Question:
    """The discovery chain, or the resolver that defines the subset."""
    needs, scope = f'service:read on "{lookup.service}"', replace(lookup.scope, datacenter="")
    name = segment(lookup.service)
    if lookup.subset:
        return Question(f"/v1/config/service-resolver/{name}", (), needs, scope)
    params = (("compile-dc", lookup.scope.datacenter),) if lookup.scope.datacenter else ()
    return Question(f"/v1/discovery-chain/{name}", params, needs, scope)


def read_subset(lookup: Lookup, body: Mapping[str, Any]) -> Chain:
    """The chain of one named subset, from the body of its service's resolver. Raises ValueError when it defines no such subset."""
    given = ((body or {}).get("Subsets") or {}).get(lookup.subset)
    if given is None:
        raise ValueError(f"the service-resolver of {lookup.service} defines no subset {lookup.subset!r}")
    scope = lookup.scope
    service = MeshService(lookup.service, scope.datacenter, scope.namespace or DEFAULT, scope.partition or DEFAULT)
    target = Target(service, lookup.subset, str(given.get("Filter") or ""), bool(given.get("OnlyPassing")))
    return Chain("", (Share(1.0, (target,)),))


def target_lookup(lookup: Lookup, target: Target) -> Lookup:
    """The instances of one target of a chain: the service's own, or the gateways that lead to it."""
    service = target.service
    scope = Scope(
        datacenter=service.datacenter if not service.peer else "",
        namespace=_spelled(service.namespace),
        partition=_spelled(service.partition),
        peer=service.peer,
    )
    gateway = lookup.gateway or target.gateway
    if gateway and not service.peer:
        there = Scope(datacenter=service.datacenter) if gateway == "remote" else Scope()
        return Lookup(service=MESH_GATEWAY, gateway="", wan=gateway == "remote", scope=there)
    filters = [f"({text})" for text in (lookup.filter, target.filter) if text]
    return replace(
        lookup,
        service=service.service,
        subset="",
        filter=" and ".join(filters),
        only_passing=lookup.only_passing or target.only_passing,
        scope=scope,
    )


def _spelled(name: str) -> str:
    return "" if name == DEFAULT else name

"""A call, as the proxy before a service sees it: what the evaluators are asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshconfig.plan import Caller, MeshPlan, PlannedService, Rpc


@dataclass(frozen=True)
class Workload:
    """Who is called: what a mesh finds it by."""

    consul: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    port: int

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether a selector selects its pods; an empty one selects all."""
        return set(labels.items()) <= set(self.labels)


@dataclass(frozen=True)
class Call:
    """`caller` is None without mutual TLS; `issuer` is that of a valid token, if there is one."""

    caller: Caller | None
    callee: Workload
    path: str
    issuer: str | None = None
    address: str = "10.0.7.7"
    method: str = "POST"


STRANGER = Caller("stranger", "elsewhere", "stranger")
HEALTH = Rpc("grpc.health.v1.Health", "Check")
NEVER = (
    Rpc("lab.v1.Shop", "Delete"), Rpc("lab.v1.Shop", "GetItemAndMore"), Rpc("lab.v1.Shop", "getitem"), Rpc("lab.v2.Shop", "GetItem"),
    Rpc("grpc.health.v1.Health", "Watch"), Rpc("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo"), HEALTH,
)  # fmt: skip
"""RPCs to ask about beside those that somebody is allowed."""


def workload(service: PlannedService) -> Workload:
    """A service's pods, which have more labels than its selector asks for."""
    return Workload(
        service.consul_name, service.namespace, (*service.selector, ("pod-template-hash", "5d9f")), service.port
    )


def callers(plan: MeshPlan) -> tuple[Caller, ...]:
    """Everyone the plan knows, and one it does not."""
    return tuple(sorted({*(allowance.caller for allowance in plan.allowed), STRANGER}))


def rpcs(plan: MeshPlan) -> tuple[Rpc, ...]:
    """Every RPC anybody is allowed, on any service, and others like them."""
    return tuple(sorted({*(rpc for allowance in plan.allowed for rpc in allowance.rpcs), *NEVER}))


Edge = tuple[Caller, str, Rpc]


def every_edge(plan: MeshPlan) -> Iterator[Edge]:
    """What there is to ask."""
    return ((caller, service.key, rpc) for service in plan.services for caller in callers(plan) for rpc in rpcs(plan))


def edges(plan: MeshPlan) -> frozenset[tuple[Caller, str, Rpc]]:
    """Every (caller, callee, RPC) the plan lists; what a rendering is compared with."""
    return frozenset((allowance.caller, allowance.callee, rpc) for allowance in plan.allowed for rpc in allowance.rpcs)


def planned_edges(plan: MeshPlan) -> frozenset[Edge]:
    """What is to be allowed: the plan's edges; on a port nobody can look into, all of a caller's that has one."""
    whole = {service.key for service in plan.services if service.protocol == "tcp"}
    wide = {(caller, key) for caller, key, _ in edges(plan) if key in whole}
    return edges(plan) | {(caller, key, rpc) for caller, key in wide for rpc in rpcs(plan)}


def probed_edges(plan: MeshPlan, everyone: Iterable[Caller]) -> frozenset[Edge]:
    """The health check of services that kubelets probe: without an identity, thus for anyone from there."""
    probed = [service.key for service in plan.services if service.probes.grpc and service.protocol != "tcp"]
    return frozenset((caller, key, HEALTH) for caller in everyone for key in probed)

"""What each mesh's generated policies allow, asked of the evaluators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from meshconfig.document import Document
from meshconfig.plan import Caller, MeshPlan, PlannedService
from tests.mesh import evaluate_consul, evaluate_istio, evaluate_linkerd
from tests.mesh.question import Call, Edge, every_edge, workload

Verdict = Callable[[Call], bool]


def verdict(plan: MeshPlan, documents: Iterable[Document], target: str) -> Verdict:
    """Whether one mesh lets a call through."""
    bodies = [document.body for document in documents if document.target == target]
    trust = plan.gateway.trust_domain
    if target == "consul":
        entries = [body for body in bodies if "Kind" in body]
        return lambda call: evaluate_consul.allows(entries, call, default=plan.default_allow)
    if target == "istio":
        return lambda call: evaluate_istio.allows(bodies, call, trust_domain=trust)
    control = plan.gateway.linkerd_namespace
    return lambda call: evaluate_linkerd.allows(bodies, call, control_plane=control, trust_domain=trust)


def call_of(plan: MeshPlan, edge: Edge, **changed: Any) -> Call:
    """The call an edge stands for, with the token its service demands."""
    caller, key, rpc = edge
    service = services(plan)[key]
    issuer = service.jwt.issuer if service.jwt is not None else None
    given: dict[str, Any] = {"caller": caller, "callee": workload(service), "path": rpc.path, "issuer": issuer}
    return Call(**{**given, **changed})


def allowed(plan: MeshPlan, decide: Verdict, **changed: Any) -> frozenset[Edge]:
    """Every edge that is let through."""
    return frozenset(edge for edge in every_edge(plan) if decide(call_of(plan, edge, **changed)))


def services(plan: MeshPlan) -> Mapping[str, PlannedService]:
    """By key."""
    return {service.key: service for service in plan.services}


def impostors(caller: Caller) -> tuple[Caller, ...]:
    """Others that share a part of an identity."""
    return (
        Caller("impostor", "impostors", caller.service_account),
        Caller("impostor", caller.namespace, "impostor"),
        Caller("impostor", caller.namespace, f"{caller.service_account}-x"),
    )

"""
Who may call a service, in Linkerd: a Server, routes of exactly the allowed RPCs, and who is let through on each.

Owns that an RPC stands in exactly one route: of two routes that match Linkerd takes one and asks only its policies, so that RPCs are
grouped by the set of callers they have, never listed once a caller. Attaching a route switches Linkerd's own allowance for probes off, so
that the health check gets a route of its own. A gRPC Server is sent no rate limit: a limited service is an HTTP/2 Server with paths
instead, whose HTTPRoutes a policy can name since linkerd2#13962 (April 2025). Source: mesh.md 3.1, 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshconfig.kubernetes_object import Manifest, digest, manifest, object_name, pods_of
from meshconfig.plan import HEALTH_CHECK, Caller, MeshPlan, PlannedService, Rpc
from meshconfig.route_rules import GRPC_ROUTE, HTTP_ROUTE, Kind, catch_all, rule_sets

POLICY = "policy.linkerd.io"
_SERVER = (f"{POLICY}/v1beta3", "Server")
_AUTHORIZATION = (f"{POLICY}/v1alpha1", "AuthorizationPolicy")
_MESH_TLS = (f"{POLICY}/v1alpha1", "MeshTLSAuthentication")
_NETWORK = (f"{POLICY}/v1alpha1", "NetworkAuthentication")
_RATE_LIMIT = (f"{POLICY}/v1alpha1", "HTTPLocalRateLimitPolicy")
_PROTOCOLS = {"grpc": "gRPC", "http2": "HTTP/2", "http": "HTTP/1", "tcp": "opaque"}

Made = tuple[Manifest, str]


@dataclass(frozen=True, slots=True)
class Group:
    """RPCs that have the same callers. `probed`: kubelets call them too."""

    callers: tuple[Caller, ...]
    rpcs: tuple[Rpc, ...]
    probed: bool = False


def groups(plan: MeshPlan, service: PlannedService) -> tuple[Group, ...]:
    """Every allowed RPC in exactly one group, sorted by callers."""
    by_rpc: dict[Rpc, dict[tuple[str, str], Caller]] = {}
    for allowance in plan.callers_of(service.key):
        caller = allowance.caller
        for rpc in allowance.rpcs:
            by_rpc.setdefault(rpc, {}).setdefault((caller.namespace, caller.service_account), caller)
    if service.probes.grpc:
        by_rpc.setdefault(HEALTH_CHECK, {})
    grouped: dict[tuple[tuple[Caller, ...], bool], list[Rpc]] = {}
    for rpc, callers in by_rpc.items():
        probed = service.probes.grpc and rpc == HEALTH_CHECK
        grouped.setdefault((tuple(sorted(callers.values())), probed), []).append(rpc)
    return tuple(Group(callers, tuple(sorted(rpcs)), probed) for (callers, probed), rpcs in sorted(grouped.items()))


def access(plan: MeshPlan, service: PlannedService, *, audit: bool) -> Iterator[Made]:
    """The service's resources; the Server last, for from it on is refused what nothing before it allows."""
    if service.by_rpc:
        yield from _authentications(plan, service)
        for group in groups(plan, service):
            yield from _routes(plan, service, group)
        if audit:
            yield _rest(plan, service)
    else:
        yield from _whole(plan, service)
    yield _server(plan, service, audit=audit)
    yield from _rate_limit(plan, service)


def server_name(service: PlannedService) -> str:
    """The Server's name: a service has one a port."""
    return object_name(service.service, str(service.port))


def identity(plan: MeshPlan, caller: Caller) -> str:
    """The name in a workload's certificate."""
    gateway = plan.gateway
    account = f"{caller.service_account}.{caller.namespace}"
    return f"{account}.serviceaccount.identity.{gateway.linkerd_namespace}.{gateway.trust_domain}"


def _server(plan: MeshPlan, service: PlannedService, *, audit: bool) -> Made:
    limited = service.rate_limit is not None and service.protocol == "grpc"
    spec = {
        "podSelector": {"matchLabels": pods_of(service)},
        "port": service.port,
        "proxyProtocol": _PROTOCOLS["http2" if limited else service.protocol],
        "accessPolicy": "audit" if audit else "deny",
    }
    reason = "the port; what no policy above allows is " + ("let through and logged" if audit else "denied")
    if limited:
        reason += "\nHTTP/2 and not gRPC, for Linkerd sends gRPC servers no rate limits"
    if service.jwt is not None:
        reason += "\nLinkerd cannot demand a token: the service or the gateway must"
    return manifest(plan, _SERVER, service.namespace, server_name(service), {"spec": spec}), reason


def _authentications(plan: MeshPlan, service: PlannedService) -> Iterator[Made]:
    for callers in dict.fromkeys(group.callers for group in groups(plan, service) if group.callers):
        yield _identities(plan, service, callers)
    if service.probes.grpc:
        spec = {"networks": [{"cidr": network} for network in service.probes.networks]}
        body = manifest(plan, _NETWORK, service.namespace, _probes_name(service), {"spec": spec})
        yield body, "where kubelets probe from, without an identity"


def _identities(plan: MeshPlan, service: PlannedService, callers: Sequence[Caller]) -> Made:
    spec = {"identities": sorted({identity(plan, caller) for caller in callers})}
    named = ", ".join(f"{caller.namespace}/{caller.service_account}" for caller in callers)
    body = manifest(plan, _MESH_TLS, service.namespace, _callers_name(service, callers), {"spec": spec})
    return body, f"who: {named}"


def _routes(plan: MeshPlan, service: PlannedService, group: Group) -> Iterator[Made]:
    kind = _route_kind(service)
    base = _callers_name(service, group.callers) if group.callers else _probes_name(service)
    base = object_name(base, "probed") if group.callers and group.probed else base
    for number, rules in enumerate(rule_sets(kind, group.rpcs), 1):
        name = object_name(base, str(number))
        yield _route(plan, service, name, rules), "which RPCs they call" if group.callers else "the health check"
        target = (kind[0].partition("/")[0], kind[1], name)
        if group.callers:
            authentication = (_MESH_TLS[1], _callers_name(service, group.callers))
            yield _policy(plan, service, name, target, authentication), "only they, only these"
        if group.probed:
            authentication = (_NETWORK[1], _probes_name(service))
            name = object_name(name, "probes")
            yield _policy(plan, service, name, target, authentication), "probes are let in"


def _rest(plan: MeshPlan, service: PlannedService) -> Made:
    """In audit the Server lets pass what has a route, but what has none is not found all the same."""
    body = _route(plan, service, object_name(service.service, "rest"), catch_all(_route_kind(service)))
    return body, "audit only: without a route a call is not found, even where nothing is refused"


def _route(plan: MeshPlan, service: PlannedService, name: str, rules: list[dict[str, Any]]) -> Manifest:
    parent = {"group": POLICY, "kind": "Server", "name": server_name(service)}
    body = {"spec": {"parentRefs": [parent], "rules": rules}}
    return manifest(plan, _route_kind(service), service.namespace, name, body)


def _route_kind(service: PlannedService) -> Kind:
    return GRPC_ROUTE if service.protocol == "grpc" and service.rate_limit is None else HTTP_ROUTE


def _whole(plan: MeshPlan, service: PlannedService) -> Iterator[Made]:
    """An opaque port has no routes: a caller is let in as a whole. Probes of opaque ports connect, which needs no leave."""
    callers = sorted({allowance.caller for allowance in plan.callers_of(service.key)})
    if callers:
        yield _identities(plan, service, callers)
        name = _callers_name(service, callers)
        target = (POLICY, "Server", server_name(service))
        yield _policy(plan, service, name, target, (_MESH_TLS[1], name)), "tcp: every call of theirs"


def _policy(
    plan: MeshPlan, service: PlannedService, name: str, target: tuple[str, str, str], authentication: tuple[str, str]
) -> Manifest:
    group, kind, target_name = target
    spec = {
        "targetRef": {"group": group, "kind": kind, "name": target_name},
        "requiredAuthenticationRefs": [{"group": POLICY, "kind": authentication[0], "name": authentication[1]}],
    }
    return manifest(plan, _AUTHORIZATION, service.namespace, name, {"spec": spec})


def _rate_limit(plan: MeshPlan, service: PlannedService) -> Iterator[Made]:
    given = service.rate_limit
    if given is None:
        return
    spec: dict[str, Any] = {"targetRef": {"group": POLICY, "kind": "Server", "name": server_name(service)}}
    if given.total is not None:
        spec["total"] = {"requestsPerSecond": given.total}
    if given.per_client is not None:
        spec["identity"] = {"requestsPerSecond": given.per_client}
    yield manifest(plan, _RATE_LIMIT, service.namespace, server_name(service), {"spec": spec}), "what an instance takes"


def _probes_name(service: PlannedService) -> str:
    return object_name(service.service, "probes")


def _callers_name(service: PlannedService, callers: Sequence[Caller]) -> str:
    """Says who, and is another for every other set: it stays the same when other callers come and go."""
    ids = [f"{caller.namespace}/{caller.service_account}" for caller in callers]
    who = callers[0].service_account if len(callers) == 1 else f"{len(callers)}-callers"
    return object_name(service.service, who, digest(service.service, *ids))

"""
Who may call a service, in Istio: mutual TLS, and one ALLOW policy whose rules are the plan's.

Owns that a rule names caller, port, method and whole path: an RPC is a path, `methods` are HTTP's, and a rule that leaves one out allows
all of them. An ALLOW policy denies what no rule of any allows, on every port of those pods: other ports, such as metrics, are closed too.
Kubelet probes need no rule: Istio's injector has them sent through its agent. Source: mesh.md 4.2; istio#20479, #46413.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshconfig.kubernetes_object import Manifest, manifest, object_name, pods_of
from meshconfig.plan import Allowance, Caller, MeshPlan, PlannedService

_PEER = ("security.istio.io/v1", "PeerAuthentication")
_AUTHORIZATION = ("security.istio.io/v1", "AuthorizationPolicy")
_REQUEST = ("security.istio.io/v1", "RequestAuthentication")
DRY_RUN = {"istio.io/dry-run": "true"}

Made = tuple[Manifest, str]


def access(plan: MeshPlan, service: PlannedService, *, audit: bool) -> Iterator[Made]:
    """The service's resources. `audit` refuses nothing: plain text passes, and what a rule would deny is logged."""
    name, namespace = object_name(service.service, "edge"), service.namespace
    selector = {"selector": {"matchLabels": pods_of(service)}}
    mode = "PERMISSIVE" if audit else "STRICT"
    body = {"spec": {**selector, "mtls": {"mode": mode}}}
    yield manifest(plan, _PEER, namespace, name, body), "without mutual TLS no caller has a name"
    if service.jwt is not None and not audit:
        yield (
            manifest(plan, _REQUEST, namespace, name, {"spec": {**selector, "jwtRules": [_jwt_rule(service)]}}),
            "tokens",
        )
    rules = [_rule(plan, service, allowance) for allowance in plan.callers_of(service.key)]
    spec: dict[str, Any] = {**selector, "action": "ALLOW"}
    if rules:  # a policy without rules allows nothing, which is what is meant
        spec["rules"] = rules
    reason = "who may call what; everything else is " + ("let through and logged" if audit else "denied")
    yield manifest(plan, _AUTHORIZATION, namespace, name, {"spec": spec}, DRY_RUN if audit else None), reason


def principal(plan: MeshPlan, caller: Caller) -> str:
    """The caller's identity, as Istio writes it: without `spiffe://`."""
    return f"{plan.gateway.trust_domain}/ns/{caller.namespace}/sa/{caller.service_account}"


def _rule(plan: MeshPlan, service: PlannedService, allowance: Allowance) -> dict[str, Any]:
    source: dict[str, Any] = {"principals": [principal(plan, allowance.caller)]}
    if service.jwt is not None:
        source["requestPrincipals"] = [f"{service.jwt.issuer}/*"]
    operation: dict[str, Any] = {"ports": [str(service.port)]}
    if service.by_rpc:
        operation |= {"methods": ["POST"], "paths": [rpc.path for rpc in allowance.rpcs]}
    return {"from": [{"source": source}], "to": [{"operation": operation}]}


def _jwt_rule(service: PlannedService) -> dict[str, Any]:
    """Refuses a wrong token; that there is one is asked for by the policy's `requestPrincipals`."""
    assert service.jwt is not None
    rule: dict[str, Any] = {
        "issuer": service.jwt.issuer,
        "jwksUri": service.jwt.jwks_uri,
        "forwardOriginalToken": True,
    }
    if service.jwt.audiences:
        rule["audiences"] = sorted(service.jwt.audiences)
    return rule

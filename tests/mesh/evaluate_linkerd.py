"""
Who may call what, by Linkerd's resources. Written from Linkerd's semantics, not from the renderer.

A Server governs a port; of the routes attached to it the one most specific match wins (then the older, here: the first by name), and only
its policies and the Server's and namespace's are asked; a call without a route is not found. GRPCRoutes count on gRPC Servers only,
HTTPRoutes on HTTP ones. Policies are ORed, their authentications ANDed; one that names what is missing lets nobody in. Source: mesh.md 3.2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.mesh.question import Call

Body = Mapping[str, Any]
_KINDS = {"gRPC": "GRPCRoute", "HTTP/2": "HTTPRoute", "HTTP/1": "HTTPRoute"}


def allows(bodies: Iterable[Body], call: Call, *, control_plane: str, trust_domain: str) -> bool:
    """Whether the callee's proxy lets the call through."""
    here = [body for body in bodies if body["metadata"]["namespace"] == call.callee.namespace]
    server = next((body for body in here if body["kind"] == "Server" and _governs(body, call)), None)
    if server is None:
        return True  # the cluster's default, which is to allow
    kind = _KINDS.get(server["spec"]["proxyProtocol"])
    routes = [body for body in here if kind is not None and body["kind"] == kind and _attached(body, server)]
    targets = [server, *_best(routes, call)]
    if routes and len(targets) == 1:
        return False
    if server["spec"].get("accessPolicy") == "audit":
        return True
    me = f"{control_plane}.{trust_domain}"
    policies = [
        body for body in here if body["kind"] == "AuthorizationPolicy" and any(_targets(body, each) for each in targets)
    ]
    return any(_satisfied(here, policy, call, me) for policy in policies)


def _governs(server: Body, call: Call) -> bool:
    spec = server["spec"]
    return spec["port"] == call.callee.port and call.callee.has(spec["podSelector"].get("matchLabels") or {})


def _attached(route: Body, server: Body) -> bool:
    return any(
        (ref.get("group"), ref.get("kind"), ref["name"]) == ("policy.linkerd.io", "Server", server["metadata"]["name"])
        for ref in route["spec"]["parentRefs"]
    )


def _best(routes: list[Body], call: Call) -> Iterator[Body]:
    ranked = [
        (-score, route["metadata"]["name"], index)
        for index, route in enumerate(routes)
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        if (score := _score(route["kind"], match, call)) is not None
    ]
    if ranked:
        yield routes[min(ranked)[2]]


def _score(kind: str, match: Body, call: Call) -> int | None:
    if kind == "GRPCRoute":
        _, service, method = call.path.split("/")
        asked = match.get("method") or {}
        if asked.get("type", "Exact") != "Exact" or call.method != "POST":
            return None
        if asked.get("service", service) != service or asked.get("method", method) != method:
            return None
        return len(asked.get("service", "")) + len(asked.get("method", ""))
    if match.get("method", call.method) != call.method:
        return None
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    if path["type"] == "Exact":
        return 10_000 if path["value"] == call.path else None
    prefix = path["value"].rstrip("/")
    return len(prefix) if call.path == prefix or call.path.startswith(f"{prefix}/") else None


def _targets(policy: Body, target: Body) -> bool:
    ref = policy["spec"]["targetRef"]
    group = str(target["apiVersion"]).partition("/")[0]
    mine = (ref.get("group", ""), ref["kind"], ref["name"]) == (group, target["kind"], target["metadata"]["name"])
    return mine or (ref.get("group", ""), ref["kind"], ref["name"]) == (
        "",
        "Namespace",
        target["metadata"]["namespace"],
    )


def _satisfied(here: list[Body], policy: Body, call: Call, me: str) -> bool:
    return all(_authenticated(here, ref, call, me) for ref in policy["spec"]["requiredAuthenticationRefs"])


def _authenticated(here: list[Body], ref: Body, call: Call, me: str) -> bool:
    found = next(
        (body for body in here if (body["kind"], body["metadata"]["name"]) == (ref["kind"], ref["name"])), None
    )
    if found is None:
        return False
    if ref["kind"] == "NetworkAuthentication":
        address = ipaddress.ip_address(call.address)
        return any(address in ipaddress.ip_network(each["cidr"]) for each in found["spec"]["networks"])
    if call.caller is None:
        return False
    name = f"{call.caller.service_account}.{call.caller.namespace}.serviceaccount.identity.{me}"
    return any(_is(identity, name) for identity in found["spec"]["identities"])


def _is(identity: str, name: str) -> bool:
    return identity == "*" or identity == name or (identity.startswith("*.") and name.endswith(identity[1:]))

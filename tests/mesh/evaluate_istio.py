"""
Who may call what, by Istio's resources. Written from Istio's semantics, not from the renderer.

A workload's DENY policies first, then: no ALLOW policy, allowed; else one of their rules must match. A rule's sources, operations and
conditions are ANDed, each list ORed; what a rule leaves out matches anything. A principal needs mutual TLS, which STRICT demands. A token
that no rule of a RequestAuthentication knows is refused, none is not. Policies in dry run decide nothing. Source: mesh.md 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.mesh.question import Call

Body = Mapping[str, Any]


def allows(bodies: Iterable[Body], call: Call, *, trust_domain: str) -> bool:
    """Whether the callee's proxy lets the call through."""
    mine = [
        body
        for body in bodies
        if body["metadata"]["namespace"] == call.callee.namespace
        and call.callee.has(((body.get("spec") or {}).get("selector") or {}).get("matchLabels") or {})
    ]
    strict = [
        body for body in mine if body["kind"] == "PeerAuthentication" and body["spec"]["mtls"]["mode"] == "STRICT"
    ]
    if strict and call.caller is None:
        return False
    if not _token_known(mine, call):
        return False
    policies = [body for body in mine if body["kind"] == "AuthorizationPolicy" and not _dry(body)]
    denying = [body for body in policies if body["spec"].get("action") == "DENY"]
    allowing = [body for body in policies if body["spec"].get("action", "ALLOW") == "ALLOW"]
    if any(_matches(body, call, trust_domain) for body in denying):
        return False
    return not allowing or any(_matches(body, call, trust_domain) for body in allowing)


def _dry(body: Body) -> bool:
    return bool((body["metadata"].get("annotations") or {}).get("istio.io/dry-run") == "true")


def _token_known(mine: list[Body], call: Call) -> bool:
    asking = [body for body in mine if body["kind"] == "RequestAuthentication"]
    known = {rule["issuer"] for body in asking for rule in body["spec"]["jwtRules"]}
    return call.issuer is None or not asking or call.issuer in known


def _matches(policy: Body, call: Call, trust_domain: str) -> bool:
    return any(
        (not rule.get("from") or any(_source(each["source"], call, trust_domain) for each in rule["from"]))
        and (not rule.get("to") or any(_operation(each["operation"], call) for each in rule["to"]))
        for rule in policy["spec"].get("rules") or ()
    )


def _source(source: Body, call: Call, trust_domain: str) -> bool:
    unknown = set(source) - {"principals", "requestPrincipals"}
    assert not unknown, f"the evaluator knows nothing of {unknown}"
    who = call.caller
    principal = None if who is None else f"{trust_domain}/ns/{who.namespace}/sa/{who.service_account}"
    token = None if call.issuer is None else f"{call.issuer}/somebody"
    return _one_of(source.get("principals"), principal) and _one_of(source.get("requestPrincipals"), token)


def _operation(operation: Body, call: Call) -> bool:
    unknown = set(operation) - {"ports", "methods", "paths"}
    assert not unknown, f"the evaluator knows nothing of {unknown}"
    asked = (("ports", str(call.callee.port)), ("methods", call.method), ("paths", call.path))
    return all(_one_of(operation.get(name), value) for name, value in asked)


def _one_of(patterns: list[str] | None, value: str | None) -> bool:
    """Exact, `prefix*`, `*suffix`, or `*` for anything that is there."""
    if patterns is None:
        return True
    return value is not None and any(_is(pattern, value) for pattern in patterns)


def _is(pattern: str, value: str) -> bool:
    if pattern == "*":
        return True
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern

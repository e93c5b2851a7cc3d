"""
RPCs as the rules of Gateway API's routes, which Linkerd reads too.

Owns the sizes: a route takes 16 rules of 8 matches, 128 in all, more RPCs become more routes. (HTTPRoute of 1.2.1 takes 64 matches a
rule, but the same 128 in all, so that nothing is won by another shape.) Only fields of Gateway API 1.2.1 are written: Linkerd ignores a
route with a newer one, without a word. Source: mesh.md 3.1; the schemas' maxItems and rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshconfig.plan import Rpc

RULES_A_ROUTE = 16
MATCHES_A_RULE = 8
GRPC_ROUTE = ("gateway.networking.k8s.io/v1", "GRPCRoute")
HTTP_ROUTE = ("gateway.networking.k8s.io/v1", "HTTPRoute")

Kind = tuple[str, str]
Rule = dict[str, Any]


def rule_sets(kind: Kind, rpcs: Sequence[Rpc], more: Mapping[str, Any] | None = None) -> Iterator[list[Rule]]:
    """The rules of each route that is needed for exactly these RPCs; `more` is said in every rule."""
    for one_route in _cut(rpcs, RULES_A_ROUTE * MATCHES_A_RULE):
        yield [
            {"matches": [_match(kind, rpc) for rpc in one_rule], **(more or {})}
            for one_rule in _cut(one_route, MATCHES_A_RULE)
        ]


def catch_all(kind: Kind, more: Mapping[str, Any] | None = None) -> list[Rule]:
    """One rule for every call. Written out: what a list without matches means is not the same everywhere."""
    match: dict[str, Any] = {} if kind == GRPC_ROUTE else {"path": {"type": "PathPrefix", "value": "/"}}
    return [{"matches": [match], **(more or {})}]


def _cut(rpcs: Sequence[Rpc], size: int) -> Iterator[Sequence[Rpc]]:
    return (rpcs[start : start + size] for start in range(0, len(rpcs), size))


def _match(kind: Kind, rpc: Rpc) -> dict[str, Any]:
    """Exact: Linkerd ignores regular expressions in gRPC matches."""
    if kind == GRPC_ROUTE:
        return {"method": {"type": "Exact", "service": rpc.service, "method": rpc.method}}
    return {"method": "POST", "path": {"type": "Exact", "value": rpc.path}}

"""Istio's rules, held to the real ones where the definitions are there."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.checks.istio import refusals
from tests.mesh.crd import needs_schemas, violations
from tests.unit.meshconfig.checks.bodies import document

AUTH = "AuthorizationPolicy"


def _rule(**source: list[str]) -> dict[str, Any]:
    return {"rules": [{"from": [{"source": source}]}]}


def _to(**operation: list[str]) -> dict[str, Any]:
    return {"rules": [{"to": [{"operation": operation}]}]}


JUDGED: list[tuple[str, dict[str, Any]]] = [
    (AUTH, {"selector": {"matchLabels": {"a": "b"}}, "action": "ALLOW"}),
    (AUTH, {"selector": {"matchLabels": {"a*": "b"}}}),
    (AUTH, {"selector": {"matchLabels": {"": "b"}}}),
    (AUTH, {"selector": {"matchLabels": {"a": "*"}}}),
    (AUTH, {"selector": {"matchLabels": {}}, "targetRef": {"kind": "Gateway", "name": "g"}}),
    (AUTH, _rule(principals=["a/ns/b/sa/c"])),
    (AUTH, _rule(principals=["a"], serviceAccounts=["b"])),
    (AUTH, {"rules": [{}] * 513}),
    ("PeerAuthentication", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"80": {"mode": "STRICT"}}}),
    ("PeerAuthentication", {"portLevelMtls": {"80": {"mode": "STRICT"}}}),
    ("PeerAuthentication", {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"65536": {"mode": "STRICT"}}}),
    ("RequestAuthentication", {"jwtRules": [{"issuer": "i", "jwksUri": "https://a/k"}]}),
    ("RequestAuthentication", {"jwtRules": [{"issuer": "i", "jwksUri": "ftp://a/k"}]}),
    ("RequestAuthentication", {"jwtRules": [{"issuer": "i", "jwksUri": "https://a/k", "jwks": "{}"}]}),
    ("VirtualService", {"http": [{"timeout": "1500ms"}]}),
    ("VirtualService", {"http": [{"timeout": "0s"}]}),
    ("VirtualService", {"http": [{"timeout": "500us"}]}),
    ("VirtualService", {"http": [{"retries": {"attempts": 1, "perTryTimeout": "0ms"}}]}),
    ("DestinationRule", {"host": "s", "subsets": [{"name": "a", "labels": {"v": "1"}}]}),
]


@needs_schemas
@pytest.mark.parametrize(("kind", "spec"), JUDGED)
def test_what_is_refused_is_what_an_api_server_refuses(kind: str, spec: dict[str, Any]) -> None:
    """And where a CEL rule refuses it, with that rule's words."""
    judged = document(kind, spec, "istio")
    ours, theirs = list(refusals(judged)), violations(judged.body)
    assert bool(ours) == bool(theirs), (ours, theirs)
    assert {message for message in theirs if ": " not in message} <= set(ours)


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (
            AUTH,
            _rule(principals=["spiffe://a/ns/b/sa/c"]),
            "spiffe://a/ns/b/sa/c: a principal is written without spiffe://",
        ),
        (AUTH, _rule(principals=["a/ns/b/sa/*"]), "a/ns/b/sa/*: a star lets in more than one caller"),
        (AUTH, _to(methods=["GetItem"]), "GetItem: is no HTTP method; an RPC is a path"),
        (AUTH, _to(paths=["/lab.v1.Shop/*"]), "/lab.v1.Shop/*: a pattern lets in more than one RPC"),
        (AUTH, _to(paths=["/lab.v1.Shop/{*}"]), "/lab.v1.Shop/{*}: a pattern lets in more than one RPC"),
        ("VirtualService", {"http": [{"route": [{"weight": 0}, {}]}]}, "total destination weight = 0"),
        ("DestinationRule", {"subsets": [{"labels": {"v": "*"}}]}, "wildcard not allowed in label value match"),
    ],
)
def test_what_istio_would_read_otherwise_than_meant(kind: str, spec: dict[str, Any], expected: str) -> None:
    assert list(refusals(document(kind, spec, "istio"))) == [expected]


def test_other_meshes_are_not_istios_business() -> None:
    spec = {
        "targetRef": {"kind": "Namespace", "name": "shop"},
        "requiredAuthenticationRefs": [],
        **_rule(principals=["*"]),
    }
    assert list(refusals(document(AUTH, spec))) == []

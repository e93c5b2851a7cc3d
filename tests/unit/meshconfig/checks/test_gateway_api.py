"""Gateway API's rules, held to the real ones where the definitions are there."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.checks import gateway_api
from meshconfig.checks.gateway_api import ignored_fields, refusals
from tests.mesh.crd import needs_schemas, schema_of, violations
from tests.unit.meshconfig.checks.bodies import document

TLS = {"mode": "Terminate", "certificateRefs": [{"name": "c"}]}


def _grpc(service: str, method: str) -> dict[str, Any]:
    return {"rules": [{"matches": [{"method": {"type": "Exact", "service": service, "method": method}}]}]}


def _http(value: str, kind: str = "Exact") -> dict[str, Any]:
    return {"rules": [{"matches": [{"path": {"type": kind, "value": value}, "method": "POST"}]}]}


def _sizes(*sizes: int) -> dict[str, Any]:
    return {
        "rules": [{"matches": [{"method": {"type": "Exact", "service": "a", "method": "b"}}] * size} for size in sizes]
    }


def _http_sizes(*sizes: int) -> dict[str, Any]:
    return {"rules": [{"matches": [{"path": {"type": "Exact", "value": "/a"}}] * size} for size in sizes]}


def _listeners(*given: dict[str, Any]) -> dict[str, Any]:
    return {
        "gatewayClassName": "c",
        "listeners": [{"name": "l", "port": 80, "protocol": "HTTP", **each} for each in given],
    }


JUDGED: list[tuple[str, dict[str, Any]]] = [
    ("GRPCRoute", _grpc("lab.v1.Shop", "Get")),
    ("GRPCRoute", _grpc("_a._B9", "__")),
    ("GRPCRoute", _grpc("lab..Shop", "Get")),
    ("GRPCRoute", _grpc("lab.9.Shop", "Get")),
    ("GRPCRoute", _grpc("lab.v1.Caf\u00e9", "Get")),
    ("GRPCRoute", _grpc("lab.v1.Shop\n", "Get")),
    ("GRPCRoute", _grpc("lab.v1.Shop", "G-et")),
    ("GRPCRoute", _grpc("lab.v1.Shop", "Get\n")),
    ("GRPCRoute", _grpc("lab.v1.Shop", "\u017fet")),
    ("GRPCRoute", _grpc("a" * 1025, "b")),
    ("GRPCRoute", {"rules": [{"matches": [{"method": {"type": "Exact"}}]}]}),
    ("GRPCRoute", {"rules": [{"matches": [{}]}]}),
    ("GRPCRoute", {"rules": [{"backendRefs": [{"name": "s"}]}]}),
    ("GRPCRoute", {"rules": [{"backendRefs": [{"name": "s", "port": 1}]}]}),
    ("GRPCRoute", {"rules": [{"unknown": 1}]}),
    ("GRPCRoute", _sizes(*[8] * 16)),
    ("GRPCRoute", _sizes(*[1] * 17)),
    ("GRPCRoute", _sizes(9)),
    ("HTTPRoute", _http_sizes(64, 64)),
    ("HTTPRoute", _http_sizes(64, 64, 1)),
    ("HTTPRoute", _http_sizes(65)),
    ("HTTPRoute", _http("/lab.v1.Shop/Get")),
    ("HTTPRoute", _http("lab")),
    ("HTTPRoute", _http("/a//b")),
    ("HTTPRoute", _http("/a/./b")),
    ("HTTPRoute", _http("/a/../b")),
    ("HTTPRoute", _http("/a/..")),
    ("HTTPRoute", _http("/a/.")),
    ("HTTPRoute", _http("/a%2fb")),
    ("HTTPRoute", _http("/a%2Fb")),
    ("HTTPRoute", _http("/a#b")),
    ("HTTPRoute", _http("/caf\u00e9")),
    ("HTTPRoute", _http("/a\n")),
    ("HTTPRoute", _http("/a b", "PathPrefix")),
    ("HTTPRoute", _http("/" + "a" * 1024)),
    ("HTTPRoute", {"rules": [{"timeouts": {"request": "1m40s500ms"}}]}),
    ("HTTPRoute", {"rules": [{"timeouts": {"request": "100500ms"}}]}),
    ("HTTPRoute", {"rules": [{"timeouts": {"request": "1.5s"}}]}),
    ("Gateway", _listeners({})),
    ("Gateway", _listeners({}, {"name": "m"})),
    ("Gateway", _listeners({"hostname": "a.test"}, {"name": "m", "hostname": "b.test"})),
    ("Gateway", _listeners({"hostname": "a.test"}, {"hostname": "b.test"})),
    ("Gateway", _listeners({"tls": TLS})),
    ("Gateway", _listeners({"protocol": "HTTPS", "tls": TLS})),
    ("Gateway", _listeners({"protocol": "HTTPS", "tls": {"mode": "Passthrough"}})),
    ("Gateway", _listeners({"protocol": "HTTPS", "tls": {"mode": "Terminate"}})),
    ("Gateway", _listeners({"protocol": "TCP", "hostname": "a.test"})),
]


@needs_schemas
@pytest.mark.parametrize(("kind", "spec"), JUDGED)
def test_what_is_refused_is_what_an_api_server_refuses(kind: str, spec: dict[str, Any]) -> None:
    """And where a CEL rule refuses it, with that rule's words."""
    judged = document(kind, spec, "gateway-api")
    ours, theirs = list(refusals(judged)), violations(judged.body)
    assert bool(ours) == bool(theirs), (ours, theirs)
    in_words = [message for message in theirs if "must" in message and ": " not in message]
    assert set(in_words) <= set(ours)


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("GRPCRoute", _grpc("a", "b"), []),
        (
            "GRPCRoute",
            _grpc("a", "b-"),
            ["method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)"],
        ),
        ("GRPCRoute", _sizes(*[1] * 17), ["spec.rules: Too many: 17: must have at most 16 items"]),
        ("GRPCRoute", _sizes(9), ["spec.rules.matches: Too many: 9: must have at most 8 items"]),
        ("HTTPRoute", _http("/a#b"), None),
        ("Gateway", _listeners({"tls": TLS}), ["tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"]),
    ],
)
def test_refusals_without_the_definitions(kind: str, spec: dict[str, Any], expected: list[str] | None) -> None:
    """The same rules, for who has no definitions at hand."""
    found = list(refusals(document(kind, spec, "gateway-api")))
    assert found == expected if expected is not None else found


@needs_schemas
@pytest.mark.parametrize("kind", ["GRPCRoute", "HTTPRoute"])
def test_the_known_fields_are_those_of_the_definitions(kind: str) -> None:
    """No more: Linkerd would ignore them; no fewer: we would refuse what is fine."""
    spec = schema_of("gateway.networking.k8s.io", kind, "v1")["properties"]["spec"]
    rules = spec["properties"]["rules"]["items"]["properties"]
    real = {
        "spec": set(spec["properties"]),
        "parentRefs": set(spec["properties"]["parentRefs"]["items"]["properties"]),
        "rules": set(rules),
        "matches": set(rules["matches"]["items"]["properties"]),
        "backendRefs": set(rules["backendRefs"]["items"]["properties"]),
    }
    assert real == gateway_api._FIELDS[kind]


def test_fields_are_named_where_they_stand() -> None:
    spec = {"useDefaultGateways": "All", "parentRefs": [{"x": 1}], "rules": [{"retry": {}, "matches": [{"y": 1}]}]}
    assert list(ignored_fields(document("HTTPRoute", spec))) == [
        "spec.useDefaultGateways", "spec.parentRefs.x", "spec.rules.retry", "spec.rules.matches.y",
    ]  # fmt: skip


def test_what_is_not_gateway_apis_is_not_judged() -> None:
    assert list(refusals(document("Server", {"rules": [{"matches": [{}] * 99}]}))) == []

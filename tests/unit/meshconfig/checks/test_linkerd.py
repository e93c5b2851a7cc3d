"""Linkerd's admission rules, with its own words; and what it takes and ignores."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.checks.linkerd import overlaps, refusals
from tests.unit.meshconfig.checks.bodies import document

MESH = {"group": "policy.linkerd.io", "kind": "MeshTLSAuthentication", "name": "a"}
NETWORK = {"group": "policy.linkerd.io", "kind": "NetworkAuthentication", "name": "n"}
ACCOUNT = {"kind": "ServiceAccount", "name": "s"}
SERVER = {"group": "policy.linkerd.io", "kind": "Server", "name": "s"}
POLICY = "AuthorizationPolicy"


def _policy(target: dict[str, str], *refs: dict[str, str]) -> dict[str, Any]:
    return {"targetRef": target, "requiredAuthenticationRefs": list(refs)}


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (POLICY, _policy(SERVER, MESH, NETWORK), []),
        (POLICY, _policy({"kind": "Namespace", "name": "shop"}), []),
        (POLICY, _policy({"kind": "Namespace", "name": "other"}), ["cannot target another namespace: other"]),
        (POLICY, _policy({"kind": "Pod", "name": "p"}), ["unsupported authorization target type: Pod"]),
        (POLICY, _policy({"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "name": "r"}, MESH), []),
        (POLICY, _policy(SERVER, MESH, MESH), ["only a single MeshTLSAuthentication may be set"]),
        (POLICY, _policy(SERVER, ACCOUNT, ACCOUNT), ["only a single ServiceAccount may be set"]),
        (
            POLICY,
            _policy(SERVER, MESH, ACCOUNT),
            ["a MeshTLSAuthentication and ServiceAccount may not be set together"],
        ),
        (POLICY, _policy(SERVER, NETWORK, NETWORK), ["only a single NetworkAuthentication may be set"]),
        (
            POLICY,
            _policy(SERVER, {"group": "g", "kind": "K", "name": "k"}),
            ["unsupported authentication kind(s): K.g"],
        ),
        ("MeshTLSAuthentication", {"identities": ["*", "*.a.b", "a.b-c.d", "spiffe://td.example/ns/a/sa/b"]}, []),
        ("MeshTLSAuthentication", {"identities": ["A.b"]}, ["id A.b is invalid: no DNS-like identity"]),
        ("MeshTLSAuthentication", {"identities": ["a..b"]}, ["id a..b is invalid: no DNS-like identity"]),
        ("MeshTLSAuthentication", {"identities": ["spiffe://TD/x"]}, ["id spiffe://TD/x is invalid: no SPIFFE ID"]),
        ("MeshTLSAuthentication", {"identities": ["spiffe://td/a/"]}, ["id spiffe://td/a/ is invalid: no SPIFFE ID"]),
        (
            "MeshTLSAuthentication",
            {"identities": ["spiffe://td/../a"]},
            ["id spiffe://td/../a is invalid: no SPIFFE ID"],
        ),
        ("MeshTLSAuthentication", {"identityRefs": [{"kind": "ServiceAccount", "name": "a"}]}, []),
        (
            "MeshTLSAuthentication",
            {"identityRefs": [{"kind": "Pod", "name": "a"}]},
            ["invalid identity target kind: Pod"],
        ),
        (
            "MeshTLSAuthentication",
            {"identityRefs": [{"kind": "Namespace", "name": "a", "namespace": "b"}]},
            ["Namespace identity_ref is cluster-scoped and cannot have a namespace"],
        ),
        ("NetworkAuthentication", {"networks": []}, ["at least one network must be specified"]),
        ("NetworkAuthentication", {"networks": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}]}, []),
        (
            "NetworkAuthentication",
            {"networks": [{"cidr": "10.0.0.0/8", "except": ["10.0.0.0/7"]}]},
            ["cidr '10.0.0.0/8' is completely negated by exception '10.0.0.0/7'"],
        ),
        (
            "NetworkAuthentication",
            {"networks": [{"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}]},
            ["cidr '10.0.0.0/8' is completely negated by exception '10.0.0.0/8'"],
        ),
        (
            "NetworkAuthentication",
            {"networks": [{"cidr": "10.0.0.0/8", "except": ["fd00::/8"]}]},
            ["cidr '10.0.0.0/8' does not include exception 'fd00::/8'"],
        ),
        ("Server", {"port": 1, "accessPolicy": "audit", "proxyProtocol": "gRPC"}, []),
        (
            "Server",
            {"port": 1, "accessPolicy": "allow"},
            ["Invalid 'accessPolicy' field: invalid default policy: allow"],
        ),
        ("HTTPLocalRateLimitPolicy", {"targetRef": SERVER, "total": {"requestsPerSecond": 1}}, []),
        (
            "HTTPLocalRateLimitPolicy",
            {"targetRef": SERVER, "total": {"requestsPerSecond": 0}},
            ["total.requestsPerSecond must be greater than 0"],
        ),
        (
            "HTTPLocalRateLimitPolicy",
            {"targetRef": SERVER, "total": {"requestsPerSecond": 1}, "identity": {"requestsPerSecond": 2}},
            ["identity.requestsPerSecond must be less than or equal to total.requestsPerSecond"],
        ),
        (
            "HTTPLocalRateLimitPolicy",
            {
                "targetRef": SERVER,
                "overrides": [{"requestsPerSecond": 0, "clientRefs": [{"kind": "Pod", "name": "p"}]}],
            },
            ["override.requestsPerSecond must be greater than 0", "overrides.clientRefs must target a ServiceAccount"],
        ),
        ("HTTPLocalRateLimitPolicy", {"targetRef": {"kind": "Pod", "name": "p"}}, ["invalid targetRef kind: Pod"]),
    ],
)
def test_admission(kind: str, spec: dict[str, Any], expected: list[str]) -> None:
    """What the policy controller would answer."""
    assert list(refusals(document(kind, spec))) == expected


def test_an_unknown_protocol_is_refused() -> None:
    (message,) = refusals(document("Server", {"port": 1, "proxyProtocol": "grpc"}))
    assert message.startswith("unknown variant `grpc`, expected one of HTTP/1, HTTP/2")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (
            {
                "timeout.linkerd.io/request": "1500ms",
                "retry.linkerd.io/grpc": "Unavailable,internal",
                "retry.linkerd.io/limit": "2",
            },
            [],
        ),
        ({"timeout.linkerd.io/request": "2"}, ["invalid duration in timeout.linkerd.io/request: 2"]),
        ({"retry.linkerd.io/timeout": "1m30s"}, ["invalid duration in retry.linkerd.io/timeout: 1m30s"]),
        ({"retry.linkerd.io/limit": "-1"}, ["invalid digit found in retry.linkerd.io/limit: -1"]),
        ({"retry.linkerd.io/grpc": "unavailable, internal"}, ["invalid grpc retry condition:  internal"]),
        ({"retry.linkerd.io/http": "503,429,500-504,5xx,gateway-error"}, []),
        ({"retry.linkerd.io/http": "unavailable"}, ["invalid http retry condition: unavailable"]),
        ({"edge/command": "anything"}, []),
    ],
)
def test_annotations_of_routes_to_services_must_parse(annotations: dict[str, str], expected: list[str]) -> None:
    spec = {"parentRefs": [{"group": "core", "kind": "Service", "name": "s"}], "rules": []}
    assert list(refusals(document("GRPCRoute", spec, annotations=annotations))) == expected


def test_annotations_of_other_routes_are_not_read() -> None:
    spec = {"parentRefs": [SERVER], "rules": []}
    assert list(refusals(document("GRPCRoute", spec, annotations={"timeout.linkerd.io/request": "2"}))) == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"name": "new in 1.3"}, ["spec.rules.name: unknown field or value; Linkerd ignores the resource"]),
        ({"backendRefs": [{"name": "s"}]}, ["invalid backendRef: cannot reference a Service without a port"]),
        ({"backendRefs": [{"name": "s", "port": 1}]}, []),
        ({"backendRefs": [{"group": "g", "kind": "K", "name": "s"}]}, []),
        ({"filters": [{"type": "RequestMirror"}]}, ["RequestMirror filter is not supported"]),
        (
            {"matches": [{"method": {"type": "RegularExpression", "service": ".*"}}]},
            ["regular expression gRPC method match is not supported; Linkerd ignores the resource"],
        ),
    ],
)
def test_what_linkerd_would_ignore_is_said(rule: dict[str, Any], expected: list[str]) -> None:
    spec = {"parentRefs": [{"group": "core", "kind": "Service", "name": "s"}], "rules": [rule]}
    assert list(refusals(document("GRPCRoute", spec))) == expected


@pytest.mark.parametrize(
    ("selector", "port", "overlap"),
    [
        ({"matchLabels": {"a": "b"}}, 1, True),
        ({}, 1, True),
        ({"matchLabels": {"a": "b"}}, 2, False),
        ({"matchLabels": {"a": "c"}}, 1, False),
    ],
)
def test_two_servers_of_one_port_are_refused(selector: dict[str, Any], port: int, overlap: bool) -> None:
    """By the second, with the first one's name."""
    one = document("Server", {"podSelector": {"matchLabels": {"a": "b"}}, "port": 1}, name="one")
    other = document("Server", {"podSelector": selector, "port": port}, name="other")
    found = [message for _, message in overlaps([one, other])]
    text = "Server spec 'shop/one' already defines a policy for port 1, and selects pods that would be selected by this Server"
    assert found == ([text] if overlap else [])


def test_other_namespaces_do_not_overlap() -> None:
    spec = {"podSelector": {"matchLabels": {"a": "b"}}, "port": 1}
    assert list(overlaps([document("Server", spec), document("Server", spec, namespace="other")])) == []


def test_other_meshes_are_not_linkerds_business() -> None:
    assert list(refusals(document("GRPCRoute", {"rules": [{"name": "x"}]}, "gateway-api"))) == []

"""What the parts of a configuration say about Consul together."""

from __future__ import annotations

import pytest

from edge.config.consul_checks import check_consul
from edge.config.document import read_document


def found(text: str) -> list[str]:
    """`path: message` of what the check notes; each has a fix."""
    document = read_document(text, "edge.yaml")
    check_consul(document)
    assert all(problem.fix for problem in document.problems)
    return [f"{problem.path}: {problem.message}" for problem in document.problems]


def upstream(keys: str, consul: str = "{service: edge}", more: str = "") -> list[str]:
    """For one upstream with these keys under consul."""
    return found(f"consul: {consul}\nupstreams: {{u: {{consul: {{{keys}}}{more}}}}}\n")


@pytest.mark.parametrize(
    "keys",
    [
        "service: web", "query: q", "service: web, dial: plain, tags: [a], datacenter: dc2", "service: web, peer: east",
        "service: web, subset: v2", "service: web, dial: sidecar, listener: 127.0.0.1:9191",
        "service: web, dial: mesh-gateway, datacenter: dc2", "query: q, near: _agent, dial: plain",
    ],
)  # fmt: skip
def test_what_fits_is_not_noted(keys: str) -> None:
    """Nothing is said."""
    assert upstream(keys) == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("dial: plain", "upstreams.u.consul: says neither service nor query"),
        ("service: web, query: q", "upstreams.u.consul.query: service already says which instances"),
        (
            "service: web, dial: sidecar",
            "upstreams.u.consul: dial: sidecar needs the sidecar's listener for this upstream",
        ),
        ("service: web, listener: 'a:1'", "upstreams.u.consul.listener: dial: native does not use our sidecar"),
        (
            "service: web, dial: sidecar, listener: 'a:1', tags: [x]",
            "upstreams.u.consul.tags: the sidecar chooses the instance, not the gateway",
        ),
        (
            "service: web, dial: mesh-gateway",
            "upstreams.u.consul: dial: mesh-gateway leads elsewhere, and nothing says where",
        ),
        (
            "query: q, dial: mesh-gateway, datacenter: d",
            "upstreams.u.consul.query: a prepared query does not lead through mesh gateways",
        ),
        (
            "service: web, peer: east, datacenter: d",
            "upstreams.u.consul.datacenter: a peer's service has no datacenter here",
        ),
        ("query: q, subset: v1", "upstreams.u.consul.subset: does not go together with query"),
        ("service: web, peer: east, subset: v1", "upstreams.u.consul.subset: does not go together with peer"),
        ("query: q, tags: [a]", "upstreams.u.consul.tags: does not go together with query"),
        ("query: q, filter: x", "upstreams.u.consul.filter: does not go together with query"),
        ("service: web, near: n1", "upstreams.u.consul.near: only sorts, and the gateway balances over all instances"),
    ],
)
def test_what_does_not_fit_in_an_upstream(keys: str, expected: str) -> None:
    """One problem each, at its key."""
    assert upstream(keys) == [expected]


def test_tls_is_the_meshs_affair() -> None:
    """Except outside of it."""
    assert upstream("service: web", more=", tls: {}") == [
        "upstreams.u.tls: dial: native leaves no choice of TLS: the mesh says whom to trust"
    ]
    assert upstream("service: web, dial: plain", more=", tls: {}") == []


def test_an_agent_and_a_name_are_needed() -> None:
    """For an upstream in Consul, and to present a certificate."""
    assert found("upstreams: {u: {consul: {service: web, dial: plain}}}") == [
        "upstreams.u.consul: the file names no Consul agent"
    ]
    assert upstream("service: web", consul="{}") == [
        "upstreams.u.consul: dial: native presents a certificate, and consul.service does not say whose"
    ]
    assert upstream("service: web, dial: plain", consul="{}") == []


@pytest.mark.parametrize(
    ("consul", "expected"),
    [
        ("{register: {}}", ["consul.register: there is no name to register"]),
        ("{service: edge, register: {checks: [{}]}}", ["consul.register.checks[0]: says nothing to check"]),
        ("{service: edge, register: {checks: [{ttl: 5s, grpc: 'a:1'}]}}", ["consul.register.checks[0].ttl: grpc is this check already"]),
        ("{service: edge, register: {sidecar_port: 1}}", ["consul.register.sidecar_port: there is no sidecar"]),
        ("{tls: {}}", ["consul.tls: the address is not https"]),
        ("{tls: {}, address: 'https://a:1'}", []),
        ("{services: [{name: a, port: 1}, {name: a, port: 2}]}", ['consul.services[1]: "a" is already consul.services[0]']),
        ("{services: [{name: a, port: 1}, {name: a, id: a-2, port: 2}]}", []),
        ("{services: [{name: a, checks: [{tcp: 'a:1', http: u}]}, 7]}", ["consul.services[0].checks[0].tcp: http is this check already"]),
    ],
)  # fmt: skip
def test_agent_and_registrations(consul: str, expected: list[str]) -> None:
    """Names, checks, sidecars, IDs."""
    assert found(f"consul: {consul}\n") == expected


def test_shapes_that_are_wrong_are_the_schemas_affair() -> None:
    """No check stumbles over them."""
    assert found("consul: 7\nupstreams: {u: {consul: 7}, v: 7}\n") == []
    assert found("consul: {services: 7, register: 7, tls: 7}\nupstreams: []\n") == [
        "consul.register: there is no name to register"
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("consul: {service: edge, register: {}}\nlisteners: [{bind: ':1', mesh: true}]", []),
        ("consul: {service: edge, register: {connect: sidecar}}\nlisteners: [{bind: ':1', mesh: false}]", []),
        ("listeners: [{bind: ':1', mesh: {}}]", ["listeners[0].mesh: the file names no Consul agent"]),
        (
            "consul: {}\nlisteners: [{bind: ':1'}, {bind: ':2', mesh: true}]",
            ["listeners[1].mesh: it presents a certificate, and consul.service does not say whose"],
        ),
        (
            "consul: {service: edge}\nlisteners: [{bind: ':1', mesh: true, tls: {cert: a, key: b, client_ca: c}}]",
            ["listeners[0].tls: mesh leaves no choice of TLS: the certificate and whom to trust are the mesh's"],
        ),
        (
            "consul: {service: edge, register: {connect: sidecar}}\nlisteners: [{bind: ':1', mesh: true}]",
            ["consul.register.connect: listeners[0] takes the mesh's calls itself"],
        ),
    ],
)
def test_a_listener_of_the_mesh(given: str, expected: list[str]) -> None:
    """Its certificate is Consul's, and it is registered as what it is."""
    assert found(given) == expected

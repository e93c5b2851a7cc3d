"""Where an upstream's service is, and what goes with each way to say it."""

from __future__ import annotations

import pytest

from edge.config.document import read_document
from edge.config.source_checks import check_sources


def found(keys: str) -> list[str]:
    """`path: message` of what is noted about one upstream with these keys; each has a fix."""
    document = read_document(f"upstreams: {{u: {{{keys}}}}}\n", "edge.yaml")
    check_sources(document)
    assert all(problem.fix for problem in document.problems)
    return [f"{problem.path}: {problem.message}" for problem in document.problems]


@pytest.mark.parametrize(
    "keys",
    [
        "endpoints: ['a:1']",
        "consul: {service: a}",
        "kubernetes: {service: a}",
        "endpoints: ['orders-headless.shop:1'], dns: strict, dns_refresh: 1s",
        "endpoints: ['a.b:1', 'c.d:1'], dns: strict, authority: 'a.b:1'",
        "endpoints: ['orders.shop.svc.cluster.local:1'], mesh: linkerd",
        "endpoints: ['orders.shop:1'], mesh: istio, max_connections: 1",
        "endpoints: ['api.example.com.:1'], mesh: istio",
    ],
)
def test_what_goes_together(keys: str) -> None:
    """Nothing is noted."""
    assert found(keys) == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", 'endpoints: the key "endpoints" is missing'),
        ("endpoints: []", "endpoints: it is empty"),
        ("endpoints: ['a:1'], consul: {service: a}", "consul: endpoints already say where the service is"),
        ("endpoints: ['a:1'], kubernetes: {service: a}", "kubernetes: endpoints already say where the service is"),
        ("consul: {service: a}, kubernetes: {service: a}", "kubernetes: consul already says where the service is"),
        (
            "endpoints: ['a.b:1'], dns_refresh: 1s",
            "dns_refresh: a name is looked up when it is dialled, not at intervals",
        ),
        ("endpoints: ['10.0.0.1:1'], dns: strict", "dns: no endpoint is a name"),
        ("kubernetes: {service: a}, dns: strict", "dns: there are no endpoints to look up"),
        (
            "endpoints: ['a.b:1', 'c.d:1'], dns: strict",
            "dns: several names, and nothing says which one an address is called by",
        ),
        (
            "endpoints: ['a.b:1'], mesh: linkerd, tls: {}",
            "tls: mesh: linkerd has the proxy do TLS; it could not read, route or retry what is encrypted already",
        ),
        (
            "consul: {service: a}, mesh: linkerd",
            "consul: mesh: linkerd leaves the choice of a pod to the proxy, and consul makes it here",
        ),
        (
            "kubernetes: {service: a}, mesh: istio",
            "kubernetes: mesh: istio leaves the choice of a pod to the proxy, and kubernetes makes it here",
        ),
        (
            "endpoints: ['a.b:1'], dns: strict, mesh: istio",
            "dns: mesh: istio balances over the Service's pods, and dns: strict would do so before it",
        ),
        (
            "endpoints: ['a.b:1', 'c.d:1'], mesh: linkerd",
            "endpoints[1]: mesh: linkerd takes one Service, over whose pods the proxy balances",
        ),
        (
            "endpoints: ['10.0.0.1:1'], mesh: istio",
            "endpoints[0]: \"10.0.0.1:1\" is no Service's name: the proxy finds routes by the Service's name in :authority",
        ),
        (
            "endpoints: ['localhost:1'], mesh: linkerd",
            'endpoints[0]: "localhost:1" is no Service\'s name: the proxy finds routes as a Service',
        ),
        (
            "endpoints: ['orders:1'], mesh: linkerd",
            'endpoints[0]: "orders:1" has no namespace: what it means depends on who asks',
        ),
    ],
)
def test_what_does_not(keys: str, expected: str) -> None:
    """One problem each, at its key."""
    assert found(keys) == [f"upstreams.u.{expected}"]

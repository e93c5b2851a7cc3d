"""A Gateway in front of the edge gateway."""

from __future__ import annotations

from typing import Any

from meshconfig.gateway_api_front import front
from tests.unit.meshconfig.plans import plan_of

TEXT = "targets: [gateway-api]\n%sservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051}\n"


def _made(given: str) -> list[dict[str, Any]]:
    text = f"gateway_api: {{front: {{{given}}}}}\n" if given else ""
    return [body for body, _ in front(plan_of(TEXT % text, {"shop": ("lab.v1.Shop/GetItem",)}))]


def test_none_is_made_unless_it_is_asked_for() -> None:
    assert _made("") == []


def test_it_reaches_the_edge_gateway_and_nothing_behind_it() -> None:
    gateway, route = _made("class_name: istio, port: 80")
    assert route["spec"]["rules"][0]["backendRefs"] == [{"name": "edge", "port": 8080}]
    assert gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"] == {"from": "Same"}


def test_routes_are_taken_from_the_gateways_namespace_alone() -> None:
    gateway, _ = _made("class_name: istio, namespace: public")
    allowed = gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]
    assert allowed == {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}


def test_a_certificate_elsewhere_is_granted_to_this_gateway_and_by_name() -> None:
    grant, gateway, _ = _made("class_name: istio, certificate: cert, certificate_namespace: certs")
    assert grant["metadata"]["namespace"] == "certs"
    assert grant["spec"]["to"] == [{"group": "", "kind": "Secret", "name": "cert"}]
    assert gateway["spec"]["listeners"][0]["tls"]["certificateRefs"][0]["namespace"] == "certs"
    assert [body["kind"] for body in _made("class_name: istio, certificate: cert")] == ["Gateway", "HTTPRoute"]


def test_every_host_has_its_listener() -> None:
    gateway, route = _made("class_name: istio, hostnames: [b.test, a.test]")
    assert [(each["name"], each["hostname"]) for each in gateway["spec"]["listeners"]] == [
        ("edge-0", "a.test"),
        ("edge-1", "b.test"),
    ]
    assert route["spec"]["hostnames"] == ["a.test", "b.test"]

"""NetworkPolicies."""

from __future__ import annotations

from dataclasses import replace

from meshconfig import kubernetes
from meshconfig.document import Options
from tests.unit.meshconfig.plans import plan_of

TEXT = """\
targets: [%s]
services:
  shop: {namespace: shop, selector: {app: shop}, port: 50051,
         other_callers: [{service: a, service_account: a, namespace: ops, rpcs: [p.S/A]},
                         {service: b, service_account: b, namespace: ops, rpcs: [p.S/A]}]}
"""
OPS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}}}


def _spec(targets: str = "kubernetes") -> dict[str, object]:
    (made,) = kubernetes.render(plan_of(TEXT % targets, {"shop": ("p.S/A",)}))
    spec: dict[str, object] = made.body["spec"]
    return spec


def test_the_gateways_pods_and_the_callers_namespaces_get_to_the_port() -> None:
    """A namespace is named once, however many callers are in it."""
    gateway = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "edge-gateway"}},
    }
    assert _spec() == {
        "podSelector": {"matchLabels": {"app": "shop"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [gateway, OPS], "ports": [{"protocol": "TCP", "port": 50051}]}],
    }


def test_a_meshs_proxies_are_reached_on_their_own_ports() -> None:
    ingress = _spec("kubernetes, linkerd, consul, istio")["ingress"]
    assert isinstance(ingress, list)
    assert [each["port"] for each in ingress[0]["ports"]] == [4143, 15008, 20000, 50051]


def test_behind_consuls_sidecar_alone_the_services_own_port_is_closed() -> None:
    """Its intentions hold at the sidecar: who could reach the port beside it would pass them by."""
    for targets, expected in (("kubernetes, consul", [20000]), ("kubernetes, consul, istio", [15008, 20000, 50051])):
        ingress = _spec(targets)["ingress"]
        assert isinstance(ingress, list)
        assert [each["port"] for each in ingress[0]["ports"]] == expected


def test_nobody_is_not_everybody() -> None:
    """An empty `from` would let everyone in: a policy without ingress lets in nobody."""
    plan = replace(plan_of(TEXT % "kubernetes", {"shop": ("p.S/A",)}), allowed=())
    assert "ingress" not in kubernetes.render(plan)[0].body["spec"]


def test_audit_leaves_them_out() -> None:
    """They can only cut off."""
    assert kubernetes.render(plan_of(TEXT % "kubernetes", {"shop": ("p.S/A",)}), Options(audit=True)) == ()

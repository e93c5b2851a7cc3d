"""Custom resources of consul-k8s."""

from __future__ import annotations

from meshconfig.consul import entries
from meshconfig.consul_crds import custom_resource
from tests.unit.meshconfig.plans import PAY, plan_of
from tests.unit.meshconfig.test_consul_traffic import FULL


def test_spelling_names_and_homes() -> None:
    """Consul's words begin small, names stay as they are; the resource stands beside its service."""
    plan = plan_of(FULL, {"pay": PAY})
    made = {entry["Kind"]: custom_resource(plan, entry) or {} for entry in entries(plan)}
    resolver = made["service-resolver"]
    assert (resolver["kind"], resolver["metadata"]["namespace"]) == ("ServiceResolver", "p")
    assert set(resolver["spec"]["subsets"]) == {"v1", "v2"}
    assert resolver["spec"]["failover"]["*"] == {"datacenters": ["dc2", "dc3"]}
    intention = made["service-intentions"]["spec"]
    assert intention["destination"] == {"name": "pay"}
    permission = intention["sources"][0]["permissions"][0]
    assert permission["http"] == {"pathExact": "/lab.v1.Pay/Charge", "methods": ["POST"]}
    assert permission["jwt"] == {"providers": [{"name": "edge-pay"}]}
    assert made["jwt-provider"]["spec"]["jsonWebKeySet"]["remote"]["uri"] == "https://i/k"
    assert made["proxy-defaults"]["metadata"]["namespace"] == "edge"
    assert made["service-defaults"]["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "edge"


def test_what_consul_k8s_has_not_is_left_out() -> None:
    """On Kubernetes its API gateway reads Gateway API."""
    assert custom_resource(plan_of(), {"Kind": "api-gateway", "Name": "public", "Meta": {}}) is None

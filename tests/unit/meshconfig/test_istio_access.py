"""Who may call a service, in Istio."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meshconfig.istio_access import access, principal
from meshconfig.plan import MeshPlan
from tests.unit.meshconfig.plans import plan_of

ONE = "targets: [istio]\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}\n"
JWT = ", jwt: {issuer: https://id.example.com, jwks_uri: https://id.example.com/keys, audiences: [b, a]}"


def _plan(more: str = "") -> MeshPlan:
    return plan_of(ONE % more, {"shop": ("lab.v1.Shop/GetItem", "lab.v1.Shop/ListItems")})


def _made(plan: MeshPlan, *, audit: bool = False) -> dict[str, dict[str, Any]]:
    return {body["kind"]: body for body, _ in access(plan, plan.services[0], audit=audit)}


def test_a_rule_names_caller_port_method_and_path() -> None:
    """What a rule leaves out it allows; and a principal has no spiffe://."""
    assert _made(_plan())["AuthorizationPolicy"]["spec"] == {
        "selector": {"matchLabels": {"app": "shop"}},
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": {"principals": ["cluster.local/ns/edge/sa/edge-gateway"]}}],
                "to": [
                    {
                        "operation": {
                            "ports": ["50051"],
                            "methods": ["POST"],
                            "paths": ["/lab.v1.Shop/GetItem", "/lab.v1.Shop/ListItems"],
                        }
                    }
                ],
            }
        ],
    }


def test_nobody_allowed_is_a_policy_without_rules() -> None:
    """Which denies; no policy at all would allow."""
    plan = replace(_plan(), allowed=())
    assert "rules" not in _made(plan)["AuthorizationPolicy"]["spec"]


def test_tcp_is_allowed_by_caller_and_port_alone() -> None:
    operation = _made(_plan(", protocol: tcp"))["AuthorizationPolicy"]["spec"]["rules"][0]["to"][0]["operation"]
    assert operation == {"ports": ["50051"]}


def test_a_token_is_demanded_of_every_rule() -> None:
    """RequestAuthentication alone lets calls without a token pass."""
    made = _made(_plan(JWT))
    source = made["AuthorizationPolicy"]["spec"]["rules"][0]["from"][0]["source"]
    assert source["requestPrincipals"] == ["https://id.example.com/*"]
    assert made["RequestAuthentication"]["spec"]["jwtRules"][0]["audiences"] == ["a", "b"]


def test_audit_refuses_nothing() -> None:
    """Dry run, plain text passes, no token is refused."""
    made = _made(_plan(JWT), audit=True)
    assert made["AuthorizationPolicy"]["metadata"]["annotations"]["istio.io/dry-run"] == "true"
    assert made["PeerAuthentication"]["spec"]["mtls"] == {"mode": "PERMISSIVE"}
    assert "RequestAuthentication" not in made
    assert _made(_plan())["PeerAuthentication"]["spec"]["mtls"] == {"mode": "STRICT"}
    assert "istio.io/dry-run" not in _made(_plan())["AuthorizationPolicy"]["metadata"]["annotations"]


def test_a_principal_is_of_the_plans_trust_domain() -> None:
    plan = _plan()
    assert principal(plan, plan.gateway.caller) == "cluster.local/ns/edge/sa/edge-gateway"

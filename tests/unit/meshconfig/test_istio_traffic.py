"""How calls to a service are made, in Istio."""

from __future__ import annotations

from typing import Any

from meshconfig.istio_traffic import traffic
from tests.unit.meshconfig.plans import plan_of

ONE = "targets: [istio]\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}\n"
SPLIT = ", split: {subsets: {stable: {labels: {v: a}, weight: 99.5}, canary: {labels: {v: b}, weight: 0.5}}}"


def _made(more: str) -> dict[str, dict[str, Any]]:
    plan = plan_of(ONE % more, {"shop": ("lab.v1.Shop/GetItem",)})
    return {body["kind"]: body["spec"] for body, _ in traffic(plan, plan.services[0])}


def test_mutual_tls_always_a_virtual_service_only_when_it_says_something() -> None:
    assert _made("") == {"DestinationRule": {"host": "shop", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}}
    assert "VirtualService" not in _made(", split: {subsets: {a: {labels: {v: a}}}}")


def test_subsets_and_whole_weights() -> None:
    made = _made(SPLIT)
    assert made["DestinationRule"]["subsets"] == [
        {"name": "canary", "labels": {"v": "b"}},
        {"name": "stable", "labels": {"v": "a"}},
    ]
    assert made["VirtualService"]["http"][0]["route"] == [
        {"destination": {"host": "shop", "subset": "canary"}, "weight": 1},
        {"destination": {"host": "shop", "subset": "stable"}, "weight": 199},
    ]


def test_retries_are_those_asked_for_and_none_where_none_are() -> None:
    """Istio would try twice more on its own."""
    route = _made(", timeout: 2s")["VirtualService"]["http"][0]
    assert (route["timeout"], route["retries"]) == ("2s", {"attempts": 0})
    route = _made(", retries: {attempts: 3, on: [unavailable, cancelled]}")["VirtualService"]["http"][0]
    assert route["retries"] == {"attempts": 3, "retryOn": "unavailable,cancelled"}

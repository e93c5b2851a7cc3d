"""How calls to a service are made, in Linkerd."""

from __future__ import annotations

from typing import Any

from meshconfig.linkerd_outbound import outbound
from tests.unit.meshconfig.plans import plan_of

ONE = "targets: [linkerd]\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}\n"
SPLIT = ", split: {subsets: {stable: {labels: {v: a}, weight: 75}, canary: {labels: {v: b}, weight: 25}}}"


def _made(more: str) -> list[dict[str, Any]]:
    plan = plan_of(ONE % more, {"shop": ("lab.v1.Shop/GetItem",)})
    return [body for body, _ in outbound(plan, plan.services[0])]


def _annotations(body: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in body["metadata"]["annotations"].items() if not key.startswith("edge/")}


def test_nothing_asked_for_is_nothing_made() -> None:
    assert _made("") == []
    assert _made(", split: {subsets: {a: {labels: {v: a}}}}") == []


def test_timeout_and_retries_are_annotations_of_a_route_of_every_call() -> None:
    (route,) = _made(", timeout: 1500ms, retries: {attempts: 3, on: [unavailable, internal]}")
    assert _annotations(route) == {
        "timeout.linkerd.io/request": "1500ms",
        "retry.linkerd.io/grpc": "unavailable,internal",
        "retry.linkerd.io/limit": "3",
    }
    assert route["spec"]["rules"] == [{"matches": [{}], "backendRefs": [{"name": "shop", "port": 50051}]}]
    assert route["spec"]["parentRefs"] == [{"group": "core", "kind": "Service", "name": "shop", "port": 50051}]


def test_http_is_tried_again_by_http_statuses() -> None:
    (route,) = _made(", protocol: http2, retries: {attempts: 1, on: [unavailable, resource-exhausted]}")
    assert route["kind"] == "HTTPRoute"
    assert _annotations(route)["retry.linkerd.io/http"] == "503,429"


def test_shares_go_to_services_of_the_subsets() -> None:
    *services, route = _made(SPLIT)
    backends = route["spec"]["rules"][0]["backendRefs"]
    assert [backend["weight"] for backend in backends] == [1, 3]
    assert {backend["name"] for backend in backends} == {service["metadata"]["name"] for service in services}

"""Subsets as Services."""

from __future__ import annotations

from dataclasses import replace

from meshconfig.plan import PlannedService
from meshconfig.subset_services import backends, subset_name, subset_services
from tests.unit.meshconfig.plans import plan_of

TEXT = """\
targets: [linkerd]
services:
  shop: {namespace: shop, selector: {app: shop, v: all}, port: 50051,
         split: {subsets: {stable: {labels: {v: a}, weight: 100}, canary: {labels: {v: b}}}}}
"""
PLAN = plan_of(TEXT, {"shop": ("lab.v1.Shop/GetItem",)})
SHOP = PLAN.services[0]


def test_a_subset_is_the_services_pods_with_its_labels() -> None:
    """One that gets no calls is not made."""
    (service,) = subset_services(PLAN, SHOP)
    assert service["spec"]["selector"] == {"app": "shop", "v": "a"}
    assert service["spec"]["ports"] == [
        {"name": "port-50051", "port": 50051, "targetPort": 50051, "appProtocol": "kubernetes.io/h2c"}
    ]


def test_a_name_is_never_a_users_own() -> None:
    """`shop-stable` may well be a Service that is there; and `a-b` of `c` is not `a` of `b-c`."""
    assert subset_name(SHOP, "stable") != "shop-stable"
    one: PlannedService = replace(SHOP, service="c-a")
    other: PlannedService = replace(SHOP, service="c")
    assert subset_name(one, "b") != subset_name(other, "a-b")


def test_without_a_division_calls_go_to_the_service() -> None:
    assert backends(replace(SHOP, split=None)) == [{"name": "shop", "port": 50051}]
    assert backends(SHOP) == [{"name": subset_name(SHOP, "stable"), "port": 50051, "weight": 1}]
    assert subset_services(PLAN, replace(SHOP, split=None)) == ()

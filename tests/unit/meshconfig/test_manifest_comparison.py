"""The plan's manifests against a cluster's: what opens, what closes, what others have opened."""

from __future__ import annotations

from typing import Any

from meshconfig.document import Options
from meshconfig.manifest_comparison import compare_manifests
from meshconfig.manifests import wanted
from meshconfig.plan import MeshPlan
from meshconfig.targets import documents
from tests.unit.meshconfig.plans import LAB, PAY, SHOP, plan_of

BOTH = LAB.replace("[consul]", "[linkerd, istio]")


def manifests(plan: MeshPlan) -> list[dict[str, Any]]:
    return wanted(documents(plan, Options()))


def test_the_same_is_no_change() -> None:
    """Nothing is said."""
    plan = plan_of(BOTH)
    found = compare_manifests(plan, manifests(plan), manifests(plan))
    assert (found.changes, found.reach, found.warnings) == ((), (), ())


def test_an_rpc_more_is_told_for_each_mesh() -> None:
    """By the callers' accounts."""
    plan = plan_of(BOTH)
    fewer = plan_of(BOTH, {"shop": SHOP[:1], "pay": PAY})
    found = compare_manifests(plan, manifests(fewer), manifests(plan))
    assert [str(each) for each in found.reach] == [
        "edge/edge-gateway can now call lab.v1.Shop/ListItems of shop/app=shop",
        "edge/edge-gateway can now call lab.v1.Shop/ListItems of shop/shop-50051",
    ]


def test_an_empty_cluster_is_open_before() -> None:
    """What is guarded for the first time closes for everybody else."""
    plan = plan_of(BOTH)
    found = compare_manifests(plan, [], manifests(plan))
    assert {change.action for change in found.changes} == {"create"}
    assert any(str(each).startswith("any other service can no longer call") for each in found.reach)


def test_a_foreign_policy_on_a_namespace_is_warned_of() -> None:
    """It opens all routes."""
    plan = plan_of(BOTH)
    spec = {"targetRef": {"kind": "Namespace", "name": "shop"}, "requiredAuthenticationRefs": []}
    foreign = {
        "apiVersion": "policy.linkerd.io/v1alpha1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": spec,
    }
    found = compare_manifests(plan, [*manifests(plan), foreign], manifests(plan))
    assert found.warnings == (
        "linkerd: AuthorizationPolicy shop/x on Namespace shop: not ours, "
        "lets anyone, even without an identity, call everything of shop/shop-50051",
    )

"""What Istio's policies let whom do."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.document import Options
from meshconfig.grants import ANYONE
from meshconfig.grants_istio import istio_grants, istio_workloads
from meshconfig.istio import render
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import plan_of


def manifests(options: Options | None = None) -> list[dict[str, Any]]:
    return [dict(document.body) for document in render(plan_of(), options or Options())]


def test_generated_policies_read_back_are_the_plans_edges() -> None:
    """By principal and path."""
    found = {(each.caller, each.callee, path) for each in istio_grants(manifests()) for path in each.paths}
    assert found == {
        (f"{caller.namespace}/{caller.service_account}", f"{callee}/app={callee}", rpc.path)
        for caller, callee, rpc in edges(plan_of())
    }
    assert istio_workloads(manifests()) == {"shop/app=shop", "pay/app=pay"}


def test_a_dry_run_guards_nothing() -> None:
    """It only reports."""
    assert istio_workloads(manifests(Options(audit=True))) == set()


@pytest.mark.parametrize(
    ("rule", "caller", "paths"),
    [
        ({}, ANYONE, {ANYTHING_ELSE}),
        ({"from": [{"source": {"principals": ["cluster.local/ns/a/sa/b"]}}]}, "a/b", {ANYTHING_ELSE}),
        (
            {"from": [{"source": {"namespaces": ["a"]}}], "to": [{"operation": {"paths": ["/x*"]}}]},
            "a/*",
            {ANYTHING_ELSE},
        ),
        ({"to": [{"operation": {"paths": ["/x"]}}]}, ANYONE, {"/x"}),
    ],
)
def test_what_a_rule_leaves_out_is_everything(rule: dict[str, Any], caller: str, paths: set[str]) -> None:
    """No `from` is anyone, no paths all of them."""
    policy = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p"},
        "spec": {"rules": [rule]},
    }
    (found,) = istio_grants([policy])
    assert (found.caller, set(found.paths)) == (caller, paths)

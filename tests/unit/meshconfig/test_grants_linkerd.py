"""What Linkerd's objects let whom do."""

from __future__ import annotations

from typing import Any

from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.document import Options
from meshconfig.grants import ANYONE
from meshconfig.grants_linkerd import linkerd_grants, linkerd_servers
from meshconfig.linkerd import render
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import LAB, plan_of

NO_PROBES = LAB.replace("port: 50051,", "port: 50051, probes: {grpc: false},").replace(
    "port: 50052", "port: 50052, probes: {grpc: false}"
)


def manifests(mesh: str = LAB) -> list[dict[str, Any]]:
    return [dict(document.body) for document in render(plan_of(mesh), Options())]


def policy(kind: str, name: str, *references: dict[str, Any]) -> dict[str, Any]:
    spec = {"targetRef": {"kind": kind, "name": name}, "requiredAuthenticationRefs": list(references)}
    return {
        "apiVersion": "policy.linkerd.io/v1alpha1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": spec,
    }


def test_generated_policies_read_back_are_the_plans_edges() -> None:
    """By ServiceAccount; one Server a service."""
    found = {(each.caller, each.callee, path) for each in linkerd_grants(manifests(NO_PROBES)) for path in each.paths}
    assert found == {
        (
            f"{caller.namespace}/{caller.service_account}",
            {"shop": "shop/shop-50051", "pay": "pay/pay-50052"}[callee],
            rpc.path,
        )
        for caller, callee, rpc in edges(plan_of(NO_PROBES))
    }
    assert set(linkerd_servers(manifests())) == {"shop/shop-50051", "pay/pay-50052"}


def test_probes_are_anyone_on_the_health_check() -> None:
    """From a network, without an identity."""
    found = {
        (each.callee, path) for each in linkerd_grants(manifests()) if each.caller == ANYONE for path in each.paths
    }
    assert found == {(server, "/grpc.health.v1.Health/Check") for server in ("shop/shop-50051", "pay/pay-50052")}


def test_a_policy_on_a_server_or_a_namespace_opens_everything() -> None:
    """Whatever routes there are."""
    account = {"kind": "ServiceAccount", "name": "x", "namespace": "y"}
    for target in (("Server", "shop-50051"), ("Namespace", "shop")):
        (found,) = [each for each in linkerd_grants([*manifests(), policy(*target, account)]) if each.caller == "y/x"]
        assert (found.callee, set(found.paths)) == ("shop/shop-50051", {ANYTHING_ELSE})
    assert any(
        each.caller == ANYONE and ANYTHING_ELSE in each.paths
        for each in linkerd_grants([*manifests(), policy("Namespace", "shop")])
    )

"""Who may call a service, in Linkerd."""

from __future__ import annotations

from typing import Any

from meshconfig.linkerd_access import access, groups, identity, server_name
from meshconfig.plan import HEALTH_CHECK, MeshPlan
from tests.unit.meshconfig.plans import plan_of

ONE = "targets: [linkerd]\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}\n"
RPCS = {"shop": ("lab.v1.Shop/GetItem", "lab.v1.Shop/ListItems")}
BILLING = "{service: billing, service_account: billing, namespace: billing, rpcs: [%s]}"


def _plan(more: str = "") -> MeshPlan:
    return plan_of(ONE % more, RPCS)


def _made(plan: MeshPlan, *, audit: bool = False) -> list[dict[str, Any]]:
    return [body for body, _ in access(plan, plan.services[0], audit=audit)]


def _of(plan: MeshPlan, kind: str, *, audit: bool = False) -> list[dict[str, Any]]:
    return [body for body in _made(plan, audit=audit) if body["kind"] == kind]


def test_an_rpc_is_in_one_group_whoever_calls_it() -> None:
    """Linkerd asks the policies of one route only: an RPC in two would be closed to the other's callers."""
    plan = _plan(", other_callers: [%s]" % (BILLING % "lab.v1.Shop/GetItem"))
    found = groups(plan, plan.services[0])
    rpcs = [str(rpc) for group in found for rpc in group.rpcs]
    assert sorted(rpcs) == ["grpc.health.v1.Health/Check", "lab.v1.Shop/GetItem", "lab.v1.Shop/ListItems"]
    callers = {str(group.rpcs[0]): [caller.service_account for caller in group.callers] for group in found}
    assert callers["lab.v1.Shop/GetItem"] == ["billing", "edge-gateway"]


def test_the_health_check_is_probed_whether_or_not_it_is_called() -> None:
    plan = _plan(", other_callers: [%s]" % (BILLING % "grpc.health.v1.Health/Check"))
    for each in (plan, _plan()):
        assert [group.probed for group in groups(each, each.services[0]) if HEALTH_CHECK in group.rpcs] == [True]


def test_without_probes_there_is_no_way_in_without_an_identity() -> None:
    plan = _plan(", probes: {grpc: false}")
    assert _of(plan, "NetworkAuthentication") == []
    assert all(HEALTH_CHECK not in group.rpcs for group in groups(plan, plan.services[0]))


def test_only_the_health_checks_route_is_open_to_a_network() -> None:
    """Whoever is in it needs no identity."""
    plan = _plan()
    opened = [
        body["spec"]["targetRef"]["name"]
        for body in _of(plan, "AuthorizationPolicy")
        if body["spec"]["requiredAuthenticationRefs"][0]["kind"] == "NetworkAuthentication"
    ]
    assert opened == ["shop-probes-1"]


def test_the_server_comes_last_and_denies() -> None:
    """Routes and policies stand before it begins to refuse."""
    made = _made(_plan())
    assert made[-1]["kind"] == "Server"
    assert made[-1]["spec"]["accessPolicy"] == "deny"
    assert made[-1]["spec"]["proxyProtocol"] == "gRPC"


def test_a_limited_service_is_an_http_2_server_with_paths() -> None:
    """Linkerd sends gRPC servers no limits, and GRPCRoutes count on them only."""
    plan = _plan(", rate_limit: {total: 5, per_client: 2}")
    assert _of(plan, "Server")[0]["spec"]["proxyProtocol"] == "HTTP/2"
    assert _of(plan, "GRPCRoute") == []
    assert _of(plan, "HTTPRoute") != []
    limit = _of(plan, "HTTPLocalRateLimitPolicy")[0]["spec"]
    assert (limit["total"], limit["identity"]) == ({"requestsPerSecond": 5}, {"requestsPerSecond": 2})
    assert limit["targetRef"]["name"] == server_name(plan.services[0])


def test_limits_are_said_as_far_as_they_are_given() -> None:
    assert "identity" not in _of(_plan(", rate_limit: {total: 5}"), "HTTPLocalRateLimitPolicy")[0]["spec"]
    assert "total" not in _of(_plan(", rate_limit: {per_client: 5}"), "HTTPLocalRateLimitPolicy")[0]["spec"]


def test_audit_lets_pass_and_gives_every_call_a_route() -> None:
    plan = _plan()
    assert _of(plan, "Server", audit=True)[0]["spec"]["accessPolicy"] == "audit"
    rest = [body for body in _of(plan, "GRPCRoute", audit=True) if body["metadata"]["name"] == "shop-rest"]
    assert rest[0]["spec"]["rules"] == [{"matches": [{}]}]
    assert all(body["metadata"]["name"] != "shop-rest" for body in _of(plan, "GRPCRoute"))


def test_an_opaque_port_lets_callers_in_as_a_whole_and_probes_not_at_all() -> None:
    plan = _plan(", protocol: tcp")
    assert [body["kind"] for body in _made(plan)] == ["MeshTLSAuthentication", "AuthorizationPolicy", "Server"]
    assert _of(plan, "AuthorizationPolicy")[0]["spec"]["targetRef"]["kind"] == "Server"


def test_an_identity_names_account_namespace_and_the_mesh() -> None:
    plan = _plan()
    assert identity(plan, plan.gateway.caller) == "edge-gateway.edge.serviceaccount.identity.linkerd.cluster.local"


def test_every_reference_is_to_something_that_is_made() -> None:
    """A name that is missing makes a policy let nobody in, without a word (linkerd2#13166)."""
    for more in (
        "",
        ", protocol: tcp",
        ", rate_limit: {total: 5}",
        ", other_callers: [%s]" % (BILLING % "lab.v1.Shop/GetItem"),
    ):
        made = _made(_plan(more))
        there = {(body["kind"], body["metadata"]["name"]) for body in made}
        for body in made:
            spec = body["spec"]
            refs = [*spec.get("requiredAuthenticationRefs", ()), *spec.get("parentRefs", ())]
            refs += [spec["targetRef"]] if "targetRef" in spec else []
            assert {(ref["kind"], ref["name"]) for ref in refs} <= there


def test_a_groups_name_stays_when_another_caller_comes() -> None:
    """Names are of the set of callers, so that a new caller does not rename what is there."""
    before = {body["metadata"]["name"] for body in _made(_plan())}
    after = {
        body["metadata"]["name"] for body in _made(_plan(", other_callers: [%s]" % (BILLING % "lab.v1.Other/Get")))
    }
    assert before < after

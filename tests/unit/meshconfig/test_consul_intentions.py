"""Intentions: exactly the allowed RPCs, and an end."""

from __future__ import annotations

from meshconfig.consul_intentions import EVERYTHING, intentions
from tests.unit.meshconfig.plans import LAB, PAY, plan_of


def test_a_caller_has_its_rpcs_by_whole_path_and_post_then_a_deny() -> None:
    """Without the deny at the end, the rest would fall to the default policy."""
    plan = plan_of()
    entry = intentions(plan, plan.services[1])
    billing, edge = entry["Sources"]
    assert billing["Permissions"] == [
        {"Action": "allow", "HTTP": {"PathExact": "/lab.v1.Shop/GetItem", "Methods": ["POST"]}},
        {"Action": "deny", "HTTP": {"PathPrefix": "/"}},
    ]
    assert [each["HTTP"].get("PathExact") for each in edge["Permissions"]] == [
        "/lab.v1.Shop/GetItem",
        "/lab.v1.Shop/ListItems",
        None,
    ]
    assert edge["Description"].startswith("managed-by=edge:edge spec-hash=")


def test_under_default_allow_everyone_else_is_denied_by_name() -> None:
    """The wildcard comes last: it is the least exact."""
    plan = plan_of(f"default_allow: true\n{LAB}")
    sources = intentions(plan, plan.services[0])["Sources"]
    assert [(source["Name"], source.get("Action")) for source in sources] == [("edge", None), ("*", "deny")]


def test_tcp_is_allowed_as_a_whole() -> None:
    """Consul takes permissions on tcp for a deny."""
    plan = plan_of(
        "targets: [consul]\nservices: {pay: {namespace: p, selector: {app: p}, port: 1, protocol: tcp}}", {"pay": PAY}
    )
    (source,) = intentions(plan, plan.services[0])["Sources"]
    assert (source["Action"], "Permissions" in source) == ("allow", False)


def test_a_demanded_token_stands_in_each_permission() -> None:
    """Not in the deny."""
    text = "targets: [consul]\nservices: {pay: {namespace: p, selector: {app: p}, port: 1, jwt: {issuer: i, jwks_uri: 'https://i/k'}}}"
    plan = plan_of(text, {"pay": PAY})
    (source,) = intentions(plan, plan.services[0])["Sources"]
    assert source["Permissions"][0]["JWT"] == {"Providers": [{"Name": "edge-pay"}]}
    assert source["Permissions"][-1] == EVERYTHING

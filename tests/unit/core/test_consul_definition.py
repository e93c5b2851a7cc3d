"""What is sent to register a service, and when an agent is told again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.core.consul_definition import FINGERPRINT, Check, Definition, differences

GRPC = Check("grpc", "127.0.0.1:50051/shop.v1.Shop", interval_s=2.5, timeout_s=0.5, tls=True, tls_server_name="shop")
TTL = Check("ttl", interval_s=15.0, deregister_after_s=60.0)
WEB = Definition("web", "web-1", 50051, "10.0.0.1", ("v1",), (("team", "a"),), 3, 1, (GRPC, TTL))


def held(definition: Definition, **changed: Any) -> dict[str, Any]:
    """As an agent tells it."""
    body = definition.body()
    return {
        "ID": body["ID"], "Service": body["Name"], "Port": body["Port"], "Address": body.get("Address", ""),
        "Tags": list(reversed(body["Tags"])), "Meta": body["Meta"], "Weights": body["Weights"], **changed,
    }  # fmt: skip


def test_body_is_what_consul_reads() -> None:
    """Names and durations as in its documentation."""
    body = WEB.body()
    grpc, ttl = body["Checks"]
    assert body["Meta"] == {"team": "a", FINGERPRINT: WEB.fingerprint()}
    assert (body["Name"], body["ID"], body["Port"], body["Address"], body["Tags"]) == (
        "web",
        "web-1",
        50051,
        "10.0.0.1",
        ["v1"],
    )
    assert body["Weights"] == {"Passing": 3, "Warning": 1}
    assert grpc == {
        "CheckID": "service:web-1:grpc-1", "Name": "gRPC check of web", "GRPC": "127.0.0.1:50051/shop.v1.Shop",
        "Interval": "2.5s", "Timeout": "0.5s", "GRPCUseTLS": True, "TLSServerName": "shop",
    }  # fmt: skip
    assert ttl == {
        "CheckID": "service:web-1:ttl-2",
        "Name": "TTL check of web",
        "TTL": "15s",
        "DeregisterCriticalServiceAfter": "60s",
    }
    assert "Connect" not in body
    assert WEB.ttl_checks() == (("service:web-1:ttl-2", TTL),)


@pytest.mark.parametrize(
    ("connect", "port", "expected"),
    [
        ("native", 0, {"Native": True}),
        ("sidecar", 0, {"SidecarService": {}}),
        ("sidecar", 20000, {"SidecarService": {"Port": 20000}}),
    ],
)
def test_place_in_the_mesh(connect: Any, port: int, expected: dict[str, Any]) -> None:
    """Native, or with a proxy."""
    assert replace(WEB, connect=connect, sidecar_port=port).body()["Connect"] == expected


def test_enterprise_names_are_sent_where_given() -> None:
    """The community edition refuses them, so never by default."""
    assert not {"Namespace", "Partition"} & set(WEB.body())
    body = replace(WEB, namespace="ns", partition="ap").body()
    assert (body["Namespace"], body["Partition"]) == ("ns", "ap")


def test_same_definition_is_recognised() -> None:
    """Whatever order the agent tells the tags in, whatever it adds."""
    assert differences(WEB, held(WEB, CreateIndex=7, ContentHash="x"), WEB.check_ids()) == ()
    plain = Definition("web", "web", 80)
    assert (
        differences(plain, {"Service": "web", "Port": 80, "Tags": None, "Meta": {FINGERPRINT: plain.fingerprint()}}, ())
        == ()
    )


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"Port": 1}, "port"),
        ({"Address": "10.9.9.9"}, "address"),
        ({"Tags": ["v1", "drain"]}, "tags"),
        ({"Weights": {"Passing": 1, "Warning": 1}}, "weights"),
        ({"Meta": {**WEB.body()["Meta"], "team": "b"}}, "meta"),
        ({"Meta": {"team": "a"}}, "definition"),
        ({"Service": "other"}, "name"),
    ],
)
def test_what_somebody_else_changed_is_seen(changed: dict[str, Any], word: str) -> None:
    """Though the fingerprint may be ours."""
    assert [each.split()[0] for each in differences(WEB, held(WEB, **changed), WEB.check_ids())] == [word]


@pytest.mark.parametrize(
    "other",
    [
        replace(WEB, checks=(GRPC,)),
        replace(WEB, checks=(replace(GRPC, interval_s=5.0), TTL)),
        replace(WEB, connect="native"),
        replace(WEB, sidecar_port=1, connect="sidecar"),
    ],
)
def test_what_agents_do_not_tell_is_in_the_fingerprint(other: Definition) -> None:
    """gRPC checks among it."""
    assert other.fingerprint() != WEB.fingerprint()
    assert "definition differs" in differences(other, held(WEB), (*WEB.check_ids(), *other.check_ids()))


def test_missing_checks_are_seen() -> None:
    """Somebody deregistered one."""
    assert differences(WEB, held(WEB), ["service:web-1:grpc-1", "another"]) == (
        "checks are missing: service:web-1:ttl-2",
    )


def test_unknown_service() -> None:
    """The agent lost it, or never had it."""
    assert differences(WEB, None, ()) == ("not registered",)

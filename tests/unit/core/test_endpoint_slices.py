"""What slices come to: conditions, ports, families, hints, duplicates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.endpoint_slices import Endpoints, PodQuery, endpoints_of

GRPC = {"name": "grpc", "port": 50051, "protocol": "TCP"}


def entry(address: str, uid: str = "", zones: list[str] | None = None, **conditions: object) -> dict[str, Any]:
    found: dict[str, Any] = {"addresses": [address], "conditions": conditions}
    if uid:
        found["targetRef"] = {"kind": "Pod", "uid": uid}
    if zones is not None:
        found["hints"] = {"forZones": [{"name": zone} for zone in zones]}
    return found


def piece(*entries: dict[str, Any], family: str = "IPv4", ports: Any = (GRPC,)) -> dict[str, Any]:
    return {"addressType": family, "ports": list(ports), "endpoints": list(entries)}


def hosts(*slices: dict[str, Any], **query: Any) -> list[str]:
    return [host for host, _ in endpoints_of(slices, PodQuery(**query)).places]


def test_ready_unset_means_ready() -> None:
    """As the API says; null is unset."""
    assert hosts(piece(entry("10.0.0.1"), entry("10.0.0.2", ready=None), entry("10.0.0.3", ready=False))) == [
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_pods_that_leave_serve_only_when_none_is_ready() -> None:
    """kube-proxy's rule: a rolling update that leaves nobody ready must not be an outage."""
    leaving = entry("10.0.0.2", ready=False, serving=True, terminating=True)
    gone = entry("10.0.0.3", ready=False, serving=False, terminating=True)
    assert hosts(piece(entry("10.0.0.1", ready=True), leaving, gone)) == ["10.0.0.1"]
    found = endpoints_of([piece(leaving, gone)], PodQuery())
    assert found == Endpoints((("10.0.0.2", 50051),), waiting=1, terminating=True)


def test_serving_unset_follows_ready() -> None:
    assert hosts(piece(entry("10.0.0.1", ready=False, serving=None))) == []


@pytest.mark.parametrize(
    ("wanted", "port"), [("grpc", 50051), ("metrics", 9090), ("9090", 9090), ("http", None), ("1", None), (None, None)]
)
def test_a_port_by_name_or_number(wanted: str | None, port: int | None) -> None:
    """Of several none is the only one; what is not there is no endpoint, and is counted."""
    ports = (GRPC, {"name": "metrics", "port": 9090})
    found = endpoints_of([piece(entry("10.0.0.1"), ports=ports)], PodQuery(wanted))
    assert found == (Endpoints((("10.0.0.1", port),)) if port else Endpoints(unusable=1))


def test_slices_may_have_different_ports() -> None:
    """Pods whose containers name their port alike and number it otherwise stand in slices of their own."""
    other = piece(entry("10.0.0.2"), ports=({"name": "grpc", "port": 50052},))
    found = endpoints_of([piece(entry("10.0.0.1")), other], PodQuery("grpc"))
    assert found.places == (("10.0.0.1", 50051), ("10.0.0.2", 50052))


def test_only_tcp() -> None:
    ports = ({"name": "grpc", "port": 1, "protocol": "UDP"}, GRPC, {"name": "x"})
    assert endpoints_of([piece(entry("10.0.0.1"), ports=ports)], PodQuery()).places == (("10.0.0.1", 50051),)


def test_an_address_in_two_slices_is_one_endpoint() -> None:
    """It may be while it moves; ready in either is ready."""
    assert hosts(piece(entry("10.0.0.1", ready=False)), piece(entry("10.0.0.1", ready=True))) == ["10.0.0.1"]
    assert endpoints_of([piece(entry("10.0.0.1", ready=False)), piece(entry("10.0.0.1"))], PodQuery()).waiting == 0


def test_dual_stack_dials_each_pod_once() -> None:
    """At the preferred family where it has it."""
    four = piece(entry("10.0.0.1", "a"), entry("10.0.0.2", "b"))
    six = piece(entry("fd00::1", "a"), entry("fd00::3", "c"), entry("fd00::9"), family="IPv6")
    assert hosts(four, six) == ["10.0.0.1", "10.0.0.2", "fd00::3", "fd00::9"]
    assert hosts(four, six, family="IPv6") == ["10.0.0.2", "fd00::1", "fd00::3", "fd00::9"]


def test_topology_hints() -> None:
    """Those for our zone, if every endpoint has hints and some are for us."""
    ours, theirs, unhinted = entry("10.0.0.1", zones=["a"]), entry("10.0.0.2", zones=["b"]), entry("10.0.0.3")
    assert hosts(piece(ours, theirs), zone="a") == ["10.0.0.1"]
    assert hosts(piece(ours, theirs), zone="c") == ["10.0.0.1", "10.0.0.2"]
    assert hosts(piece(ours, theirs, unhinted), zone="a") == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert hosts(piece(ours, theirs)) == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"addressType": "IPv4", "ports": [GRPC], "endpoints": [None]},
        {"addressType": "IPv4", "ports": 5},
        piece({"addresses": []}),
    ],
)
def test_what_is_no_slice_costs_nothing_else(bad: Any) -> None:
    found = endpoints_of([piece(entry("10.0.0.1")), bad], PodQuery())
    assert found.places == (("10.0.0.1", 50051),)


@given(st.permutations(range(6)), st.integers(1, 5))
def test_order_and_division_mean_nothing(order: list[int], cut: int) -> None:
    """The same entries, however they are spread over slices."""
    entries = [entry(f"10.0.0.{number}", str(number), ready=number % 3 != 0) for number in order]
    divided = [piece(*entries[:cut]), piece(*entries[cut:])]
    assert endpoints_of(divided, PodQuery()) == endpoints_of([piece(*sorted(entries, key=str))], PodQuery())

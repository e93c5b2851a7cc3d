"""The plan: the allowed edges, and nothing that can add to them."""

from __future__ import annotations

import dataclasses

import pytest

from meshconfig.plan import Rpc
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import plan_of


def test_edges_are_the_exposed_rpcs_and_those_of_other_callers() -> None:
    """One (caller, callee, RPC) each."""
    found = {(caller.service, callee, str(rpc)) for caller, callee, rpc in edges(plan_of())}
    assert found == {
        ("edge", "shop", "lab.v1.Shop/GetItem"),
        ("edge", "shop", "lab.v1.Shop/ListItems"),
        ("edge", "pay", "lab.v1.Pay/Charge"),
        ("billing", "shop", "lab.v1.Shop/GetItem"),
    }


def test_a_plan_cannot_be_changed() -> None:
    """No renderer can allow more by it."""
    plan = plan_of()
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.allowed = ()  # type: ignore[misc]  # what must not work
    assert isinstance(plan.allowed, tuple)


def test_names_in_consul_and_paths() -> None:
    """A Consul name of its own, or the Kubernetes Service's."""
    text = "targets: [consul]\nservices: {pay: {namespace: p, selector: {app: p}, port: 1, consul_service: payments, protocol: tcp}}"
    (service,) = plan_of(text, {"pay": ("lab.v1.Pay/Charge",)}).services
    assert (service.service, service.consul_name, service.by_rpc) == ("pay", "payments", False)
    assert Rpc("lab.v1.Pay", "Charge").path == "/lab.v1.Pay/Charge"

"""Which object lets whom call an RPC."""

from __future__ import annotations

from meshconfig.document import Options
from meshconfig.explain import explain, grants_of
from meshconfig.plan import Rpc
from meshconfig.targets import documents
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import LAB, plan_of

ALL = LAB.replace("[consul]", "[consul, linkerd, istio]")


def test_each_mesh_names_its_object() -> None:
    """Two callers in three meshes."""
    plan = plan_of(ALL)
    found = explain(documents(plan, Options()), plan, Rpc("lab.v1.Shop", "GetItem"))
    assert [(each.mesh, each.caller) for each in found] == [
        ("consul", "billing"), ("consul", "edge"),
        ("istio", "billing/billing"), ("istio", "edge/edge-gateway"),
        ("linkerd", "billing/billing"), ("linkerd", "edge/edge-gateway"),
    ]  # fmt: skip
    assert all(each.via for each in found)


def test_nobody_is_let_in_to_what_does_not_exist() -> None:
    """In any mesh."""
    plan = plan_of(ALL)
    assert explain(documents(plan, Options()), plan, Rpc("lab.v1.Shop", "Nothing")) == ()


def test_consul_is_read_once() -> None:
    """Not from JSON and HCL and resources each."""
    plan = plan_of()
    assert len(grants_of(documents(plan, Options()))) == len(edges(plan))

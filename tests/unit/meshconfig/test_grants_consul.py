"""What intentions let whom do."""

from __future__ import annotations

from meshconfig.consul import entries
from meshconfig.grants_consul import consul_grants
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import plan_of


def test_generated_intentions_read_back_are_the_plans_edges() -> None:
    """Each with the permission that says so; denials grant nothing."""
    plan = plan_of()
    found = list(consul_grants(entries(plan)))
    assert {(each.caller, each.callee, path) for each in found for path in each.paths} == {
        (caller.service, callee, rpc.path) for caller, callee, rpc in edges(plan)
    }
    assert found[-1].via == "service-intentions/shop source edge permission 2"

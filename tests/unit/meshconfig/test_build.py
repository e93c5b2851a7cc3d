"""From configuration to plan: default deny, and what is wrong said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.load import load_config
from edge.core.problem import ProblemsError
from meshconfig.build import Exposure, build_plan
from tests.mesh.question import edges
from tests.unit.meshconfig.plans import LAB, SHOP, SOURCE, built, plan_of


def test_everything_is_sorted_and_stable() -> None:
    """Two loads of the same text make the same plan; services by key, allowances by callee and caller."""
    plan = plan_of()
    assert plan == plan_of()
    assert [service.key for service in plan.services] == ["pay", "shop"]
    assert [(each.callee, each.caller.service) for each in plan.allowed] == [
        ("pay", "edge"),
        ("shop", "billing"),
        ("shop", "edge"),
    ]


def test_an_upstream_nothing_exposes_gets_no_policy() -> None:
    """Neither its service nor its other callers are in the plan."""
    plan = plan_of(LAB, {"shop": (), "pay": ("lab.v1.Pay/Charge",)})
    assert [service.key for service in plan.services] == ["pay"]
    assert {each.callee for each in plan.allowed} == {"pay"}


def test_the_hash_changes_exactly_when_what_is_made_does() -> None:
    """Not with the file's name, but with an RPC."""
    plan = plan_of()
    assert len(plan.config_hash) == 16
    assert plan.config_hash != plan_of(LAB, {"shop": SHOP[:1], "pay": ("lab.v1.Pay/Charge",)}).config_hash
    assert plan.config_hash != plan_of(LAB.replace("50052", "50053")).config_hash


@pytest.mark.parametrize(
    ("rpc", "message", "fix", "warning"),
    [
        ("lab.v1.Shop/GetItm", '"lab.v1.Shop/GetItm" does not exist', 'did you mean "lab.v1.Shop/GetItem"?', False),
        ("lab.v1.Shop/Zzzzzzzzzzzzzzzz", "does not exist", "known: lab.v1.Shop/GetItem, lab.v1.Shop/ListItems", False),
        ("other.Service/Do", 'no API describes "other.Service/Do"', "see that it is spelt right", True),
    ],
)
def test_unknown_rpcs_of_other_callers(rpc: str, message: str, fix: str, warning: bool) -> None:
    """A misspelt one is an error with its line; one of a service nobody described is told."""
    text = LAB.replace("rpcs: [lab.v1.Shop/GetItem]", f"rpcs: [{rpc}]")
    if warning:
        plan, problems = built(text)
        assert any(str(each) == rpc for _, _, each in edges(plan))
    else:
        with pytest.raises(ProblemsError) as caught:
            built(text)
        problems = caught.value.problems
    (problem,) = problems
    assert message in problem.message
    assert problem.fix == fix
    assert problem.path == "mesh.services.shop.other_callers[0].rpcs[0]"
    assert problem.place.endswith("edge.yaml:12")


def test_what_the_gateway_does_itself_is_not_for_the_mesh() -> None:
    """`by: edge` reaches no renderer."""
    text = """\
targets: [consul]
services:
  pay: {namespace: p, selector: {app: p}, port: 1, failover: {by: edge, upstreams: [shop]},
        split: {by: edge, subsets: {v1: {weight: 100}}}}
  shop: {namespace: s, selector: {app: s}, port: 1}
"""
    service, _ = plan_of(text).services
    assert (service.split, service.failover) == (None, None)


def test_a_file_without_a_mesh_is_refused(tmp_path: Path) -> None:
    """With what to add."""
    path = tmp_path / "edge.yaml"
    path.write_text(
        "listeners: [{bind: '127.0.0.1:1'}]\napis: [{name: a, reflection: true, upstream: u}]\nupstreams: {u: {endpoints: ['a:1']}}\n"
    )
    with pytest.raises(ProblemsError, match="says nothing about a mesh"):
        build_plan(load_config(path, {}), Exposure({}, {}), SOURCE)

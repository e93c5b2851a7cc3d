"""Every golden configuration on a Consul: each entry is taken, a second plan shows no change, the allowed calls are the plan's."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshconfig.apply import Target, apply
from meshconfig.comparison import compare, read_all
from meshconfig.consul_access import ANYONE_ELSE, access, universe
from meshconfig.consul_store import ConfigEntries
from meshconfig.items import items
from meshconfig.journal import Journal
from meshconfig.ownership import owner_of
from tests.mesh.cases import NAMES, case
from tests.mesh.question import edges


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_configuration_on_consul(name: str, store: ConfigEntries, tmp_path: Path) -> None:
    """What Consul gives back after an apply allows exactly what the plan says."""
    made = case(name)
    plan, options = made.plan, made.options
    found = compare(plan, read_all(store), options)
    assert not found.refusals
    apply(Target(store, owner_of(plan)), found.changes, Journal.begin(tmp_path / "journal"), lambda _: None)
    live = read_all(store)
    assert compare(plan, live, options).changes == ()
    state = items(live)
    by_rpc = [service for service in plan.services if service.by_rpc]
    names = {service.key: service.consul_name for service in by_rpc}
    judged = universe({name: frozenset() for name in names.values()}, state)
    reached = {
        (pair[0], pair[1], path)
        for pair, each in access(state, judged, judged, default=plan.default_allow).items()
        for path in each.paths
    }
    allowed = {(caller.service, names[key], rpc.path) for caller, key, rpc in edges(plan) if key in names}
    assert reached == allowed
    assert not any(caller == ANYONE_ELSE for caller, _, _ in reached)

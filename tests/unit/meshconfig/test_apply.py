"""Writes against a store that loses races; `tests/mesh` has the whole, on the double and on a real Consul."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshconfig.apply import ATTEMPTS, ApplyError, Target, apply
from meshconfig.comparison import compare
from meshconfig.document import Options
from meshconfig.items import Entry
from meshconfig.journal import Journal
from tests.mesh.consul_entries import MemoryEntries
from tests.unit.meshconfig.plans import plan_of


class Lost(MemoryEntries):
    """Every write to intentions is too late."""

    tried = 0

    def write(self, entry: Entry, cas: int) -> bool:
        if entry["Kind"] == "service-intentions":
            self.tried += 1
            return False
        return super().write(entry, cas)


def test_a_race_that_is_always_lost_ends(tmp_path: Path) -> None:
    """After so many attempts, with everything undone."""
    store = Lost()
    found = compare(plan_of(), [], Options())
    with pytest.raises(ApplyError, match="others changed it"):
        apply(Target(store, "edge:edge"), found.changes, Journal.begin(tmp_path / "journal"), lambda _: None)
    assert store.tried == ATTEMPTS
    assert store.listed("service-defaults") == []


def test_what_changed_since_the_plan_is_not_overwritten(tmp_path: Path) -> None:
    """The plan was of another state."""
    store = MemoryEntries()
    found = compare(plan_of(), [], Options())
    store.write({"Kind": "service-defaults", "Name": "pay", "Protocol": "http"}, 0)
    with pytest.raises(ApplyError, match="changed since the plan was made"):
        apply(Target(store, "edge:edge"), found.changes, Journal.begin(tmp_path / "journal"), lambda _: None)
    entry = store.read("service-defaults", "pay")
    assert entry
    assert entry["Protocol"] == "http"


def test_what_somebody_has_made_so_already_is_left(tmp_path: Path) -> None:
    """Two applies of one plan agree."""
    store = MemoryEntries()
    found = compare(plan_of(), [], Options())
    for number in range(2):
        made = apply(Target(store, "edge:edge"), found.changes, Journal.begin(tmp_path / str(number)), lambda _: None)
        assert made == len(found.changes)

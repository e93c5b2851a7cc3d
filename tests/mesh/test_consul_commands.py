"""`edge mesh plan`, `apply`, `verify`, `prune` against a real Consul, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli.mesh_consul import ConsulEntries
from tests.unit.cli.conftest import Edge


@pytest.fixture(autouse=True)
def _here(consul: ConsulEntries, mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_ADDR", consul.url)


def test_plan_apply_plan_verify_prune(edge: Edge, mesh: Path, consul: ConsulEntries) -> None:
    """From nothing to in force, and back by ownership."""
    foreign = {"Name": "auditor", "Action": "allow"}
    consul.write({"Kind": "service-intentions", "Name": "shop", "Sources": [foreign]}, 0)
    first = edge("mesh", "plan")
    assert first.code == 1
    assert "warning: service-intentions/shop [auditor]: not ours, lets auditor call all of shop" in first.out
    applied = edge("mesh", "apply")
    assert (applied.code, applied.err) == (0, "")
    assert "created: service-intentions/shop [edge]\n" in applied.out
    assert not Path(".edge-mesh-journal").exists()
    assert (edge("mesh", "plan").code, edge("mesh", "verify").code) == (0, 0)
    text = mesh.read_text()
    mesh.write_text(text[: text.index(",\n           other_callers")] + "}\n")
    assert edge("mesh", "verify").code == 1
    assert "- delete service-intentions/shop [billing]" in edge("mesh", "prune", "--dry-run").out
    assert edge("mesh", "prune").code == 0
    entry = consul.read("service-intentions", "shop")
    assert entry
    assert {source["Name"] for source in entry["Sources"]} == {"auditor", "edge"}


def test_a_conflict_does_nothing(edge: Edge, consul: ConsulEntries) -> None:
    """Until it is asked for."""
    consul.write({"Kind": "service-defaults", "Name": "shop", "Protocol": "http"}, 0)
    result = edge("mesh", "apply")
    assert (result.code, result.err) == (1, "error: nothing done: 1 object of somebody else in the way\n")
    assert consul.listed("service-intentions") == []
    assert edge("mesh", "apply", "--take-over").code == 0


def test_an_apply_nobody_finished_is_undone_first(edge: Edge, consul: ConsulEntries) -> None:
    """Its journal says what it did."""
    journal = Path(".edge-mesh-journal")
    entry = {"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc", "Meta": {"managed-by": "edge:edge"}}
    consul.write(entry, 0)
    journal.write_text(
        json.dumps({"key": ["service-defaults", "shop", ""], "before": None, "owner": "", "after": entry}) + "\n"
    )
    refused = edge("mesh", "apply")
    assert (refused.code, "an earlier apply was not finished" in refused.err) == (1, True)
    assert edge("mesh", "apply", "--roll-back").out == "undone: service-defaults/shop\n"
    assert consul.listed("service-defaults") == []
    assert edge("mesh", "apply", "--roll-back").out == ".edge-mesh-journal: there is nothing to undo\n"

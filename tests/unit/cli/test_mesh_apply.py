"""`edge mesh apply` and `prune`, as far as they go without a Consul; `tests/mesh` has them with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Edge


@pytest.mark.parametrize("command", [["apply"], ["prune"], ["prune", "--dry-run"]])
def test_a_consul_that_does_not_answer_is_a_failure(command: list[str], edge: Edge, mesh: Path) -> None:
    """Nothing is begun: there is no journal."""
    result = edge("mesh", *command)
    assert (result.code, result.err) == (1, "error: http://127.0.0.1:1: Connection refused\n")
    assert not Path(".edge-mesh-journal").exists()


def test_what_a_mesh_would_refuse_is_not_applied(edge: Edge, mesh: Path) -> None:
    """No cluster is asked: that is found here."""
    mesh.write_text(mesh.read_text().replace("  services:", "  gateway: {trust_domain: Corp.Example}\n  services:"))
    result = edge("mesh", "apply", "--to", "kubernetes")
    assert (result.code, result.out) == (2, "")
    assert "is invalid: no DNS-like identity" in result.err


def test_there_is_nothing_to_undo(edge: Edge, mesh: Path) -> None:
    """No journal, no failure."""
    assert edge("mesh", "apply", "--roll-back").code == 0


def test_an_apply_to_kubernetes_cannot_be_undone(edge: Edge, mesh: Path) -> None:
    """Asked to undo, nothing is applied."""
    result = edge("mesh", "apply", "--to", "kubernetes", "--roll-back")
    assert (result.code, result.out) == (2, "")
    assert "--roll-back" in result.err


def test_a_journal_is_kept_while_it_cannot_be_undone(edge: Edge, mesh: Path) -> None:
    """It is all that says what was done."""
    journal = Path(".edge-mesh-journal")
    journal.write_text('{"key": ["service-defaults", "shop", ""], "before": null, "owner": "", "after": null}\n')
    result = edge("mesh", "apply", "--roll-back")
    assert (result.code, "the journal is kept" in result.err, journal.exists()) == (1, True, True)

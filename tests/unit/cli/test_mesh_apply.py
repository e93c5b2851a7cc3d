"""`edge mesh apply` and `prune`, as far as they go without a Consul; `tests/mesh` has them with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Edge


@pytest.mark.parametrize("command", [["apply"], ["prune"], ["prune", "--dry-run"]])
def test_a_consul_that_does_not_answer_is_a_failure(command: list[str], edge: Edge, mesh: Path) -> None:
    """Nothing is begun: there is no journal."""
    result = edge("mesh", *command)
    assert (result.code, result.err) == (1, "error: http://127.0.0.1:1: connection refused\n")
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
    assert edge("mesh", "apply", "--to", "kubernetes", "--roll-back").code == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["apply", "--to", "kubernetes", "--datacenter", "dc1"],
        ["apply", "--to", "kubernetes", "--agent", "http://c:1"],
        ["prune", "--to", "kubernetes", "--datacenter", "dc1"],
        ["apply", "--force-conflicts"],
        ["apply", "--deploy"],
        ["prune", "--deploy"],
    ],
)
def test_a_flag_that_would_be_ignored_is_a_mistake(flags: list[str], edge: Edge, mesh: Path) -> None:
    """Nothing is asked or done; the flag is named."""
    result = edge("mesh", *flags)
    assert (result.code, result.out) == (2, "")
    assert next(flag for flag in reversed(flags) if flag.startswith("--")) in result.err


def test_a_journal_belongs_to_where_it_was_written_for(edge: Edge, mesh: Path) -> None:
    """Undone in the other place it would do nothing good."""
    kubernetes = '{"key": ["Service", "n/s", ""], "before": null, "owner": "", "after": {"apiVersion": "v1"}}\n'
    consul = '{"key": ["service-defaults", "s", ""], "before": null, "owner": "", "after": {"Kind": "x"}}\n'
    for text, flags, words in (
        (kubernetes, [], "add --to kubernetes"),
        (consul, ["--to", "kubernetes"], "leave out --to"),
    ):
        Path("journal").write_text(text)
        result = edge("mesh", "apply", "--roll-back", "--journal", "journal", *flags)
        assert (result.code, words in result.err, Path("journal").exists()) == (1, True, True)


def test_a_journal_is_kept_while_it_cannot_be_undone(edge: Edge, mesh: Path) -> None:
    """It is all that says what was done."""
    journal = Path(".edge-mesh-journal")
    journal.write_text('{"key": ["service-defaults", "shop", ""], "before": null, "owner": "", "after": null}\n')
    result = edge("mesh", "apply", "--roll-back")
    assert (result.code, "the journal is kept" in result.err, journal.exists()) == (1, True, True)

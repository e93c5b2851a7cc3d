"""`edge mesh`: its commands, each with help and an example."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Edge

COMMANDS = ["generate", "plan", "apply", "verify", "prune", "graph", "explain"]


def test_help_lists_every_command(edge: Edge) -> None:
    """Whole sentences."""
    result = edge("mesh", "--help")
    assert result.code == 0
    assert all(f"\n  {command} " in result.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_its_exit_codes(command: str, edge: Edge) -> None:
    """A line to paste."""
    out = " ".join(edge("mesh", command, "--help").out.split())
    assert f"Example: edge mesh {command}" in out
    assert "Exit codes: 0 ok, 1 failed, 2 bad input." in out

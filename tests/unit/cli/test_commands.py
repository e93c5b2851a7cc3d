"""The command line as a whole: help, version, exit codes, and never a traceback for a user's mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import __version__
from tests.unit.cli.conftest import Edge

COMMANDS = ["run", "demo", "check", "routes", "explain", "schema", "doctor", "services", "certs", "mesh"]


def test_version(edge: Edge) -> None:
    """One line, exit 0."""
    result = edge("--version")
    assert (result.code, result.out) == (0, f"edge {__version__}\n")


def test_help_lists_every_command(edge: Edge) -> None:
    """Whole sentences, none cut off."""
    result = edge("--help")
    assert result.code == 0
    assert all(f"\n  {command} " in result.out for command in COMMANDS)
    assert "..." not in result.out.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, edge: Edge) -> None:
    """The example is a line to paste."""
    result = edge(command, "--help")
    assert result.code == 0
    assert f"Example: edge {command}" in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["check", "--nonsense"], ["check", "-c"], ["explain"], ["explain", "GET"], ["explain", "GET", "no-slash"],
        ["explain", "GET", "/", "-H", "no colon"], ["explain", "GET", "/", "-d", "@no-such-file"], ["run", "--workers", "0"],
        ["demo", "--port", "99999"],
    ],
)  # fmt: skip
def test_bad_input_is_exit_2_with_a_text(arguments: list[str], edge: Edge, shop: Path) -> None:
    """A user's mistake is told, not thrown."""
    result = edge(*arguments)
    assert result.code == 2
    assert "Error" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("arguments", [["run"], ["routes"], ["explain", "GET", "/"], ["doctor"]])
def test_a_broken_configuration_is_exit_2_with_its_problems(arguments: list[str], edge: Edge, tmp_path: Path) -> None:
    """Every command that loads one reports it the same way, on standard error."""
    path = tmp_path / "edge.yaml"
    path.write_text("listeners: [{bind: 8080}]\n")
    result = edge(*arguments, "-c", str(path))
    assert (result.code, result.out) == (2, "")
    assert f"{path}:1: listeners[0].bind: error: 8080 has no host" in result.err
    assert "fix: write 127.0.0.1:8080, or :8080 for all interfaces" in result.err


def test_no_arguments_is_help(edge: Edge) -> None:
    """Someone who types `edge` sees what there is."""
    result = edge()
    assert "Commands:" in result.out + result.err


def test_nothing_is_coloured_on_a_pipe(edge: Edge, shop: Path) -> None:
    """Escape codes are for terminals."""
    assert "\x1b" not in edge("check").out + edge("routes").out + edge("--help").out

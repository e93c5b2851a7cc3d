"""What the commands print with."""

from __future__ import annotations

import io

import pytest

from edge.cli.output import counted, print_problems, print_table, problem_data
from edge.core.problem import Problem


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


PROBLEM = Problem("edge.yaml:3", "apis[0].name", '"[red]x" is bad', "write [bold]y")


def test_text_is_not_markup() -> None:
    """Brackets in paths and values are brackets."""
    out = io.StringIO()
    print_problems([PROBLEM], out)
    assert out.getvalue() == 'edge.yaml:3: apis[0].name: error: "[red]x" is bad\n    fix: write [bold]y\n'


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not when NO_COLOR asks for none."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    print_problems([PROBLEM], out)
    assert "\x1b[1;31merror: " in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    print_problems([PROBLEM], out)
    assert "31m" not in out.getvalue()


def test_problem_without_place_or_fix() -> None:
    """Nothing is made up."""
    out = io.StringIO()
    print_problems([Problem("", "", "it is late", warning=True)], out)
    assert out.getvalue() == "warning: it is late\n"
    assert problem_data(Problem("a.proto", "", "x"))["line"] is None
    assert problem_data(Problem("a.yaml:3:7", "", "x"))["line"] == 3


def test_long_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe has no width."""
    print_table(["A", "B"], [["x" * 500, "y"], ["z", ""]])
    assert capsys.readouterr().out.splitlines() == ["A" + " " * 501 + "B", "x" * 500 + "  y", "z"]


def test_counted() -> None:
    """Numbers agree with their nouns."""
    assert [counted(number, "route") for number in (0, 1, 2)] == ["0 routes", "1 route", "2 routes"]

"""
What the commands print with: problems, tables, JSON; the options they share.

Owns that colour appears only on a terminal (and not under NO_COLOR), that text from files is never read as markup, and that lines and
tables are not cut when the output is a pipe.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.text import Text

from edge.core.problem import Problem

FAILED, BAD_INPUT = 1, 2

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration file, YAML or JSON.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]

_UNBOUNDED = 10_000  # columns of something that is no terminal
_LINE = re.compile(r":(\d+)(?::\d+)?$")


def console(stream: TextIO | None = None) -> Console:
    """A console that neither interprets nor wraps what it prints."""
    stream = stream or sys.stdout
    width = None if stream.isatty() else _UNBOUNDED
    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True, width=width)


def failed(text: str) -> NoReturn:
    """Say why a command did not do what it was asked, and end it."""
    console(sys.stderr).print(f"error: {text}")
    raise typer.Exit(FAILED)


def print_problems(problems: Iterable[Problem], stream: TextIO | None = None) -> None:
    """Each problem with its place and its fix."""
    out = console(stream)
    for problem in problems:
        out.print(_problem_text(problem))


def _problem_text(problem: Problem) -> Text:
    head = ": ".join(part for part in (problem.place, problem.path) if part)
    text = Text(f"{head}: " if head else "", style="bold")
    kind, colour = ("warning", "yellow") if problem.warning else ("error", "red")
    text.append(f"{kind}: ", colour).append(problem.message, "not bold")
    if problem.fix:
        text.append(f"\n    fix: {problem.fix}", "not bold green")
    return text


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem for machines; `line` is null where it is not known."""
    line = _LINE.search(problem.place)
    return {
        "severity": "warning" if problem.warning else "error",
        "place": problem.place,
        "line": int(line[1]) if line else None,
        "path": problem.path,
        "message": problem.message,
        "fix": problem.fix,
    }


def print_json(data: object) -> None:
    """Indented JSON on standard output."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns under titles. Long lines stay whole: they are cut by the terminal, not by us."""
    lines = [list(titles), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    out = console()
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        out.print(Text(text, style="" if number else "bold"))


def counted(number: int, noun: str) -> str:
    """`1 route`, `2 routes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

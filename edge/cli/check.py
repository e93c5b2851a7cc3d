"""
`edge check`: everything that is wrong with a configuration, its descriptions and its routes, at once.

Owns the verdict. It loads with the gateway's own code, so what passes here is what `edge run` serves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from edge.app import Snapshot, load_snapshot
from edge.cli.output import BAD_INPUT, ConfigOption, JsonOption, counted, print_json, print_problems, problem_data
from edge.config.load import load_config
from edge.config.models import Config
from edge.core.problem import Problem, ProblemsError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; `snapshot` is what would be served, None when nothing would be."""

    problems: tuple[Problem, ...]
    snapshot: Snapshot | None

    @property
    def errors(self) -> int:
        """Problems that keep the gateway from starting."""
        return sum(not problem.warning for problem in self.problems)

    @property
    def warnings(self) -> int:
        """Problems that do not."""
        return len(self.problems) - self.errors


def check(
    config: ConfigOption = Path("edge.yaml"),
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail too.")] = False,
    json: JsonOption = False,
) -> None:
    """
    Validate a configuration and all it names.

    Looks at the file, the API descriptions, the HTTP rules and the routes; prints every problem with its line
    and a fix. Exits with 0 when there is none, with 2 otherwise; warnings count with --strict.
    """
    verdict = judge(config)
    failed = bool(verdict.errors or (strict and verdict.warnings))
    if json:
        print_json(
            {
                "file": str(config),
                "ok": not failed,
                "errors": verdict.errors,
                "warnings": verdict.warnings,
                "problems": [problem_data(problem) for problem in verdict.problems],
            }
        )
    else:
        print_problems(verdict.problems)
        print(f"{config}: {_summary(verdict)}")
    raise typer.Exit(BAD_INPUT if failed else 0)


def judge(path: Path) -> Verdict:
    """Load everything; problems are the verdict, not an exception."""
    try:
        config = load_config(path, os.environ)
    except ProblemsError as error:
        return Verdict(error.problems, None)
    try:
        snapshot = load_snapshot(config)
    except ProblemsError as error:
        return Verdict(placed(error.problems, config), None)
    return Verdict(placed(snapshot.problems, config), snapshot)


def placed(problems: Sequence[Problem], config: Config) -> tuple[Problem, ...]:
    """The problems with the line of their setting, where they came without one."""
    return tuple(
        problem if problem.place else replace(problem, place=config.place(problem.path)) for problem in problems
    )


def _summary(verdict: Verdict) -> str:
    found = [
        counted(count, noun) for count, noun in ((verdict.errors, "error"), (verdict.warnings, "warning")) if count
    ]
    snapshot = verdict.snapshot
    if snapshot is None:
        return ", ".join(found)
    apis, routes = counted(len(snapshot.config.apis), "API"), counted(len(snapshot.routes.routes), "route")
    asked = f" ({', '.join(snapshot.loading)}: routes are asked of the upstream)" if snapshot.loading else ""
    return ", ".join(["ok", *found, apis, routes]) + asked

"""
protoc's error text as problems: where, what, and what would be right.

Owns the reading of `file:line:column: message` lines, and which of them are mere consequences of another: an import that failed
makes every name of it undefined, and one missing file is one problem. Pure. Source: protoc's command_line_interface.cc.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge.core.problem import Problem

_PLACED = re.compile(r"(?P<place>.+?:\d+:\d+): (?P<message>.*)")
_NOT_FOUND = re.compile(r"(?P<file>\S.*?): File not found\.")
_IMPORT = re.compile(r'Import "(?P<file>.+)" was not found or had errors\.')
_UNIMPORTED = re.compile(r'"(?P<name>.+)" seems to be defined in "(?P<file>[^"]+)", which is not imported')
_NOISE = re.compile(r"WARNING: All log messages before absl::InitializeLog|[IWE]\d{4} [\d:.]+ +\d+ \S+\.(cc|h):\d+\] ")

_FIXES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"recursively imports itself"), "break the cycle: move what both need into a third file"),
    (re.compile(r"is not defined\."), "correct the name, or import the file that defines it"),
    (
        re.compile(r"is already defined in file"),
        "keep one of the two: two roots may hold copies of one file under different names",
    ),
    (re.compile(r"is already defined in"), "rename one of the two"),
    (re.compile(r"has already been used in"), "give each field a number of its own"),
    (
        re.compile(r"(Expected|Reached end|Unexpected|Interpreting non ascii|Missing)"),
        "correct the syntax at this place",
    ),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of protoc said. `rest` are lines that are not protoc's."""

    problems: tuple[Problem, ...]
    rest: tuple[str, ...]


def read(text: str, searched: str) -> Report:
    """The problems in protoc's stderr; `searched` names the places that imports were looked for in."""
    placed: list[tuple[str, str]] = []
    missing: set[str] = set()
    rest: list[str] = []
    for line in text.splitlines():
        if match := _PLACED.fullmatch(line):
            placed.append((match["place"], match["message"]))
        elif match := _NOT_FOUND.fullmatch(line):
            missing.add(match["file"])
        elif line and not _NOISE.match(line):
            rest.append(line)
    return Report(_without_consequences(placed, missing, searched), tuple(rest))


def _without_consequences(placed: Sequence[tuple[str, str]], missing: set[str], searched: str) -> tuple[Problem, ...]:
    failed_imports = {_file(place) for place, message in placed if _IMPORT.fullmatch(message)}
    problems = []
    for place, message in placed:
        imported = _IMPORT.fullmatch(message)
        if imported and imported["file"] in missing:
            problems.append(_missing_import(place, imported["file"], searched))
        elif imported or (_file(place) in failed_imports and message.endswith("is not defined.")):
            continue  # told where it happened: in the imported file
        else:
            problems.append(_problem(place, message))
    return tuple(problems)


def _file(place: str) -> str:
    return place.rsplit(":", 2)[0]


def _missing_import(place: str, name: str, searched: str) -> Problem:
    return Problem(
        place,
        "",
        f'imports "{name}", which is not found',
        f'searched {searched}; add the folder under which "{name}" lies to roots',
    )


def _problem(place: str, message: str) -> Problem:
    warning = message.startswith("warning: ")
    if unimported := _UNIMPORTED.match(message):
        name, file = unimported["name"], unimported["file"]
        return Problem(place, "", f'"{name}" is defined in a file that is not imported', f'import "{file}";', warning)
    fix = next((fix for pattern, fix in _FIXES if pattern.search(message)), "")
    return Problem(place, "", message.removeprefix("warning: "), fix, warning)

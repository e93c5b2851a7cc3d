"""
What becomes reachable and what unreachable, in words an operator can say no to.

Owns the sentences. It is given what each caller could call before and can call after; both were read from the mesh's objects, not from
the plan, so that a renderer's mistake would show here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from meshconfig.consul_access import ANYONE_ELSE, ANYTHING_ELSE, Access

_MOST_NAMES = 5

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """One caller and one callee: the paths that open, or close."""

    direction: Literal["opens", "closes"]
    caller: str
    callee: str
    paths: tuple[str, ...]
    rest: int
    """How many it may call in the end; 0 is: nothing any more."""

    def __str__(self) -> str:
        beside = self.rest > (len(self.paths) if self.direction == "opens" else 0)
        what = _listed(self.paths, beside=beside)
        if self.direction == "opens":
            return f"{self.caller} can now call {what} of {self.callee}"
        left = "" if self.rest else ": nothing is left to it"
        return f"{self.caller} can no longer call {what} of {self.callee}{left}"


def reach(before: Mapping[Pair, Access], after: Mapping[Pair, Access]) -> tuple[Reach, ...]:
    """
    Every difference: what opens first, then by caller and callee.

    Both must judge the same paths. A caller nothing names on one side could call there what ANYONE_ELSE could.
    """
    found = []
    for caller, callee in sorted({*before, *after}):
        old, new = _paths(before, caller, callee), _paths(after, caller, callee)
        opened, closed = new - old, old - new
        if opened:
            found.append(Reach("opens", caller, callee, tuple(sorted(opened)), len(new)))
        if closed:
            found.append(Reach("closes", caller, callee, tuple(sorted(closed)), len(new)))
    return tuple(sorted(found, key=lambda each: (each.direction != "opens", each.caller, each.callee)))


def _paths(state: Mapping[Pair, Access], caller: str, callee: str) -> frozenset[str]:
    found = state.get((caller, callee)) or state.get((ANYONE_ELSE, callee))
    return found.paths if found else frozenset()


def _listed(paths: Iterable[str], *, beside: bool) -> str:
    """`A/B, C/D and everything else`, cut where it is long; `beside`: there is something it is beside."""
    names = [path.lstrip("/") for path in paths if path != ANYTHING_ELSE]
    shown = names[:_MOST_NAMES]
    if len(names) > _MOST_NAMES:
        shown.append(f"{len(names) - _MOST_NAMES} more")
    if ANYTHING_ELSE in paths:
        shown.append("everything else" if names or beside else "everything")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def sentences(found: Iterable[Reach]) -> Iterator[str]:
    """`+` for what opens, `-` for what closes."""
    for each in found:
        yield f"{'+' if each.direction == 'opens' else '-'} {each}"

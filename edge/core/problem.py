"""
A problem in something a user wrote: where, what, and what would be right.

Owns the one shape in which configuration, descriptors and routes report, so that `edge check` can print all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing wrong in a user's file.

    `place` is `file:line` or `file:line:column`, as far as known; `path` the place inside (`apis[0].http.rules[2].get`).
    `message` quotes the wrong value; `fix` says what would be right. A `warning` does not stop the gateway.
    """

    place: str
    path: str
    message: str
    fix: str = ""
    warning: bool = False

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.place, self.path) if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text}\n    fix: {self.fix}" if self.fix else text


class ProblemsError(Exception):
    """Something could not be loaded; `problems` is everything that is wrong with it, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

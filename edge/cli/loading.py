"""
Loading a snapshot for a command that cannot go on without one.

Owns that problems come out with the lines of their settings, and that warnings are told but do not stop.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.app import Snapshot
from edge.cli.check import judge
from edge.cli.output import print_problems
from edge.core.problem import ProblemsError


def snapshot_of(path: Path) -> Snapshot:
    """What the gateway would serve from a file. Raises ProblemsError; warnings go to standard error."""
    verdict = judge(path)
    if verdict.snapshot is None:
        raise ProblemsError(verdict.problems)
    print_problems(verdict.problems, sys.stderr)
    return verdict.snapshot

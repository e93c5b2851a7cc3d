"""
The golden cases: a folder each in tests/golden/mesh, found by glob; the name says what is shown.

`edge.yaml` is a configuration as a user writes it, `options.yaml`, where there is one, the flags; beside them stands what is generated, a
file a target. `UPDATE_GOLDEN=1` writes those anew; read the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from edge.cli.mesh_input import plan_of
from meshconfig.document import Document, Options
from meshconfig.plan import MeshPlan
from meshconfig.targets import documents

FOLDER = Path(__file__).resolve().parent.parent / "golden" / "mesh"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/edge.yaml"))


@dataclass(frozen=True)
class Case:
    """A configuration, its plan and everything made of it."""

    name: str
    plan: MeshPlan
    options: Options
    documents: tuple[Document, ...]

    def of(self, target: str) -> Iterator[Document]:
        """The documents of one target."""
        return (document for document in self.documents if document.target == target)


@cache
def case(name: str) -> Case:
    """Read a case."""
    folder = FOLDER / name
    given = folder / "options.yaml"
    options = Options(**yaml.safe_load(given.read_text())) if given.exists() else Options()
    plan = plan_of(folder / "edge.yaml")
    return Case(name, plan, options, documents(plan, options))

"""
`edge mesh generate`: the policies as files.

Owns where they go: a folder with one subfolder a target, or one stream. What the mesh would refuse is not written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.mesh_input import checked_documents, plan_of
from edge.cli.output import ConfigOption, counted
from edge.core.problem import Problem, ProblemsError
from meshconfig.comparison import refusals
from meshconfig.consul import entries
from meshconfig.document import Options
from meshconfig.plan import MeshPlan
from meshconfig.writer import files, stream, write_folder

AuditOption = Annotated[
    bool, typer.Option("--audit", help="Refuse nothing yet: report what would be refused, where the mesh can.")
]

DeployOption = Annotated[bool, typer.Option("--deploy", help="Add the gateway's own Kubernetes workload.")]


def generate(
    config: ConfigOption = Path("edge.yaml"),
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where to write; - for one stream.")] = "-",
    audit: AuditOption = False,
    deploy: DeployOption = False,
) -> None:
    """
    Write the policies as files.

    One subfolder a target. Files of an earlier run that are made no more are removed; other files are left alone.
    """
    plan = plan_of(config)
    options = Options(audit=audit, deploy=deploy)
    rendered = checked_documents(plan, options)
    _check_consul(plan, options)
    made = files(plan, rendered)
    if out == "-":
        sys.stdout.write(stream(made))
        return
    folder = Path(out)
    try:
        changed = write_folder(plan, made, folder)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="--out") from None
    print(f"{folder}: {counted(len(made), 'file')}, {len(changed)} changed")


def _check_consul(plan: MeshPlan, options: Options) -> None:
    """Raises ProblemsError with what Consul would refuse of its entries."""
    found = refusals(list(entries(plan, options))) if "consul" in plan.targets else ()
    if found:
        fix = "change what the mesh section says about it"
        raise ProblemsError([Problem("", "mesh", f"Consul would refuse it: {reason}", fix) for reason in found])

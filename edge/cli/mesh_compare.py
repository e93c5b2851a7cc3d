"""
`edge mesh plan` and `edge mesh verify`: the policies against what is there.

Owns what they say and how they end: 1 as soon as something differs, so that a script can ask.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.mesh_consul import consul_from
from edge.cli.mesh_generate import AuditOption, DeployOption
from edge.cli.mesh_input import checked_documents, plan_of
from edge.cli.output import FAILED, ConfigOption, JsonOption, console, print_json
from edge.core.problem import Problem, ProblemsError
from meshconfig.comparison import Comparison, compare, read_all
from meshconfig.consul_store import StoreError
from meshconfig.diff import Change
from meshconfig.document import Options
from meshconfig.manifest_comparison import compare_manifests
from meshconfig.manifests import UnreadableError, read_entries, read_manifests, wanted
from meshconfig.plan import MeshPlan
from meshconfig.reach import Reach, sentences

AgainstOption = Annotated[
    str,
    typer.Option(
        "--against",
        metavar="consul|DIR|FILE",
        help="A running Consul, a folder that generate wrote, or a dump of a cluster (kubectl get ... -o yaml).",
    ),
]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="Change also what somebody else made, and own it from then on.")
]
DatacenterOption = Annotated[
    str, typer.Option("--datacenter", metavar="DC", help="Consul's primary datacenter, which alone takes writes.")
]
_SIGNS = {"create": "+", "change": "~", "delete": "-", "conflict": "!"}


def plan(
    config: ConfigOption = Path("edge.yaml"),
    against: AgainstOption = "consul",
    audit: AuditOption = False,
    deploy: DeployOption = False,
    take_over: TakeOverOption = False,
    datacenter: DatacenterOption = "",
    json: JsonOption = False,
) -> None:
    """
    Say what apply would create, change and delete, and what that opens and closes.

    Changes nothing. Exits with 0 when nothing differs, with 1 otherwise.
    """
    options = Options(audit=audit, deploy=deploy)
    found = compared(plan_of(config), against, options, take_over=take_over, datacenter=datacenter)
    if json:
        print_json(comparison_data(found))
    else:
        print_comparison(found)
    raise typer.Exit(FAILED if found.changes else 0)


def verify(
    config: ConfigOption = Path("edge.yaml"),
    against: AgainstOption = "consul",
    audit: AuditOption = False,
    deploy: DeployOption = False,
    datacenter: DatacenterOption = "",
    json: JsonOption = False,
) -> None:
    """
    Check that what is there is what the configuration makes.

    Exits with 1 on drift: something is missing, was changed by another hand, or is left over.
    """
    found = compared(plan_of(config), against, Options(audit=audit, deploy=deploy), datacenter=datacenter)
    if json:
        print_json({"ok": not found.changes, **comparison_data(found)})
    elif found.changes:
        print_comparison(found, verb="differ")
    else:
        _print_warnings(found)
        print("in force as configured")
    raise typer.Exit(FAILED if found.changes else 0)


def compared(
    plan: MeshPlan,
    against: str,
    options: Options,
    *,
    take_over: bool = False,
    datacenter: str = "",
    only_prune: bool = False,
) -> Comparison:
    """The comparison with what `--against` names. Raises ProblemsError or exits when that cannot be read."""
    if against == "consul" and "consul" not in plan.targets:
        fix = "add consul to mesh.targets, or compare with a folder or a dump: --against FILE"
        raise ProblemsError([Problem("", "mesh.targets", "Consul is not among them", fix)])
    try:
        if against == "consul":
            live = read_all(consul_from(os.environ, datacenter))
            return compare(plan, live, options, take_over=take_over, only_prune=only_prune)
        return _with_files(plan, Path(against), options)
    except (StoreError, UnreadableError) as error:
        console(sys.stderr).print(f"error: {error}")
        raise typer.Exit(FAILED) from None


def _with_files(plan: MeshPlan, path: Path, options: Options) -> Comparison:
    if not path.exists():
        message = f"{path}: no such file or folder"
        raise ProblemsError([Problem("--against", "", message, "give consul, a folder, or a file of manifests")])
    found = compare_manifests(plan, read_manifests(path), wanted(checked_documents(plan, options)))
    if path.is_dir() and "consul" in plan.targets:
        consul = compare(plan, read_entries(path), options)
        return Comparison(
            (*consul.changes, *found.changes),
            (*consul.reach, *found.reach),
            (*consul.warnings, *found.warnings),
            consul.refusals,
        )
    return found


def print_comparison(found: Comparison, verb: str = "to do") -> None:
    """For people: the changes, what they mean, what to beware of."""
    out = console()
    for change in found.changes:
        out.print(f"{_SIGNS[change.action]} {change.action} {change.key}")
        for line in _details(change):
            out.print(f"    {line}")
    if found.reach:
        out.print("reachability:")
        for line in sentences(found.reach):
            out.print(f"  {line}")
    _print_warnings(found)
    counts = [f"{sum(change.action == action for change in found.changes)} {action}" for action in _SIGNS]
    out.print(f"{verb}: {', '.join(counts)}" if found.changes else "no change")


def _details(change: Change) -> Iterator[str]:
    if change.action == "conflict":
        owner = change.before.owner if change.before and change.before.owner else "nobody's mark"
        yield f"is there with {owner}, and differs; --take-over makes it ours"
    yield from change.details


def _print_warnings(found: Comparison) -> None:
    for refusal in found.refusals:
        console().print(f"Consul would refuse: {refusal}")
    for warning in found.warnings:
        console().print(f"warning: {warning}")


def comparison_data(found: Comparison) -> dict[str, Any]:
    """For machines."""
    return {
        "changes": [
            {"action": change.action, **change.key._asdict(), "details": list(change.details)}
            for change in found.changes
        ],
        "opens": [_reach_data(each) for each in found.reach if each.direction == "opens"],
        "closes": [_reach_data(each) for each in found.reach if each.direction == "closes"],
        "refusals": list(found.refusals),
        "warnings": list(found.warnings),
    }


def _reach_data(each: Reach) -> dict[str, Any]:
    return {"caller": each.caller, "callee": each.callee, "paths": list(each.paths), "text": str(each)}

"""
`edge mesh plan` and `edge mesh verify`: the policies against what is there.

Owns what they say and how they end: 1 as soon as something differs, so that a script can ask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.mesh_consul import AgentOption, ConsulFlags, DatacenterOption, TokenOption, consul_of
from edge.cli.mesh_generate import AuditOption, DeployOption
from edge.cli.mesh_input import checked_documents, plan_of
from edge.cli.output import FAILED, ConfigOption, JsonOption, console, print_json
from edge.core.problem import Problem, ProblemsError
from meshconfig.cluster import Cluster, ClusterError, state
from meshconfig.comparison import Comparison, compare, read_all
from meshconfig.consul_store import ConfigEntries, StoreError
from meshconfig.diff import Change
from meshconfig.document import Options
from meshconfig.kube_client import KubernetesCluster
from meshconfig.manifest_comparison import compare_manifests
from meshconfig.manifests import UnreadableError, read_entries, read_manifests, wanted
from meshconfig.plan import MeshPlan
from meshconfig.reach import Reach, sentences

AgainstOption = Annotated[
    str,
    typer.Option(
        "--against",
        metavar="consul|kubernetes|DIR|FILE",
        help="A running Consul, the cluster of the current kubectl context, a folder that generate wrote, or a dump of a cluster "
        "(kubectl get ... -o yaml).",
    ),
]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="Change also what somebody else made, and own it from then on.")
]
_SIGNS = {"create": "+", "change": "~", "delete": "-", "conflict": "!"}


def plan(
    config: ConfigOption = Path("edge.yaml"),
    against: AgainstOption = "consul",
    audit: AuditOption = False,
    deploy: DeployOption = False,
    take_over: TakeOverOption = False,
    agent: AgentOption = "",
    token_file: TokenOption = None,
    datacenter: DatacenterOption = "",
    json: JsonOption = False,
) -> None:
    """
    Say what apply would create, change and delete, and what that opens and closes.

    Changes nothing. Exits with 0 when nothing differs, with 1 otherwise.
    """
    options = Options(audit=audit, deploy=deploy)
    store = partial(consul_of, config, ConsulFlags(agent, token_file, datacenter))
    found = compared(plan_of(config), against, options, store, take_over=take_over)
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
    agent: AgentOption = "",
    token_file: TokenOption = None,
    datacenter: DatacenterOption = "",
    json: JsonOption = False,
) -> None:
    """
    Check that what is there is what the configuration makes.

    Exits with 1 on drift: something is missing, was changed by another hand, or is left over.
    """
    store = partial(consul_of, config, ConsulFlags(agent, token_file, datacenter))
    found = compared(plan_of(config), against, Options(audit=audit, deploy=deploy), store)
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
    store: Callable[[], ConfigEntries],
    *,
    take_over: bool = False,
    only_prune: bool = False,
) -> Comparison:
    """
    The comparison with what `--against` names; `store` is asked for where that is Consul.

    Raises ProblemsError or exits when that cannot be read.
    """
    if against == "consul" and "consul" not in plan.targets:
        fix = "add consul to mesh.targets, or compare with a folder or a dump: --against FILE"
        raise ProblemsError([Problem("", "mesh.targets", "Consul is not among them", fix)])
    try:
        if against == "consul":
            live = read_all(store())
            return compare(plan, live, options, take_over=take_over, only_prune=only_prune)
        if against == "kubernetes":
            asked = wanted(checked_documents(plan, options))
            return compared_with_cluster(KubernetesCluster(), plan, asked, take_over=take_over)
        return _with_files(plan, Path(against), options)
    except (StoreError, UnreadableError, ClusterError) as error:
        console(sys.stderr).print(f"error: {error}")
        raise typer.Exit(FAILED) from None


def compared_with_cluster(
    cluster: Cluster,
    plan: MeshPlan,
    asked: list[dict[str, Any]],
    *,
    take_over: bool = False,
    only_prune: bool = False,
) -> Comparison:
    """What the plan makes against a live cluster. Raises ClusterError."""
    found = compare_manifests(plan, state(cluster, plan, asked), asked, take_over=take_over)
    if not only_prune:
        return found
    return replace(found, changes=tuple(change for change in found.changes if change.action == "delete"), reach=())


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

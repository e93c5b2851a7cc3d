"""
`edge mesh apply` and `edge mesh prune`: the policies put in force, and what is left of older ones removed.

Owns when nothing is done at all: a conflict with somebody else's object, a check of the mesh's own that fails, an earlier apply that nobody
finished. What is done is said line by line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from edge.cli.mesh_compare import DatacenterOption, TakeOverOption, compared, print_comparison
from edge.cli.mesh_consul import consul_from
from edge.cli.mesh_generate import AuditOption
from edge.cli.mesh_input import checked_documents, plan_of
from edge.cli.output import FAILED, ConfigOption, console, counted
from meshconfig.apply import ApplyError, Target
from meshconfig.apply import apply as apply_changes
from meshconfig.apply import roll_back as undo
from meshconfig.cluster import ClusterError, apply_all
from meshconfig.comparison import Comparison
from meshconfig.consul_store import StoreError
from meshconfig.document import Options
from meshconfig.journal import Journal
from meshconfig.kube_client import KubernetesCluster
from meshconfig.manifests import wanted
from meshconfig.ownership import owner_of
from meshconfig.plan import MeshPlan

JournalOption = Annotated[
    Path,
    typer.Option("--journal", metavar="FILE", help="Where an apply writes down what it does, until it is finished."),
]
JOURNAL = Path(".edge-mesh-journal")


def apply(
    config: ConfigOption = Path("edge.yaml"),
    audit: AuditOption = False,
    take_over: TakeOverOption = False,
    datacenter: DatacenterOption = "",
    journal: JournalOption = JOURNAL,
    to: Annotated[
        Literal["consul", "kubernetes"],
        typer.Option(
            "--to", help="Consul, or the cluster of the current kubectl context (all targets but Consul's own entries)."
        ),
    ] = "consul",
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Undo an apply that was interrupted, by its journal; do nothing else.")
    ] = False,
) -> None:
    """
    Put the policies into Consul or Kubernetes: all of them, or none.

    In Consul it touches only what carries this gateway's mark, and in shared entries only its own part; when a write
    fails, those before it are undone. In Kubernetes the cluster must take all of it in a dry run first.
    Look at edge mesh plan first.
    """
    if roll_back and to == "kubernetes":
        raise typer.BadParameter(
            "undoes an apply to Consul; one to Kubernetes has no journal", param_hint="--roll-back"
        )
    plan = plan_of(config)
    if to == "kubernetes":
        _to_cluster(plan, Options(audit=audit), take_over=take_over)
        return
    target = Target(consul_from(os.environ, datacenter), owner_of(plan))
    if roll_back:
        _roll_back(target, journal)
        return
    found = compared(plan, "consul", Options(audit=audit), take_over=take_over, datacenter=datacenter)
    _carry_out(plan, target, found, journal)


def prune(
    config: ConfigOption = Path("edge.yaml"),
    datacenter: DatacenterOption = "",
    journal: JournalOption = JOURNAL,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove from Consul what carries this gateway's mark and is in the configuration no more; nothing else."""
    plan = plan_of(config)
    found = compared(plan, "consul", Options(), datacenter=datacenter, only_prune=True)
    if dry_run:
        print_comparison(found)
        return
    _carry_out(plan, Target(consul_from(os.environ, datacenter), owner_of(plan)), found, journal)


def _carry_out(plan: MeshPlan, target: Target, found: Comparison, path: Path) -> None:
    print_comparison(found)
    if found.conflicts:
        _fail(f"nothing done: {counted(len(found.conflicts), 'object')} of somebody else in the way")
    if found.refusals:
        _fail(f"nothing done: Consul would refuse {counted(len(found.refusals), 'thing')} of it")
    if not found.changes:
        return
    journal = _begin(path)
    try:
        made = apply_changes(target, found.changes, journal, print)
    except ApplyError as error:
        left = f"; not undone: {', '.join(error.kept)}" if error.kept else "; everything before it is undone"
        _fail(f"{error}{left}")
    except StoreError as error:
        _fail(f"{error}; half of it is in force: edge mesh apply --roll-back undoes it ({path})")
    print(f"{counted(made, 'change')} made, config-hash {plan.config_hash}")


def _to_cluster(plan: MeshPlan, options: Options, *, take_over: bool) -> None:
    manifests = wanted(checked_documents(plan, options))
    try:
        refused = apply_all(KubernetesCluster(), manifests, force=take_over, told=print)
    except ClusterError as error:
        _fail(f"{error}; what is told of above is in force, apply again when it is mended")
    if refused:
        for each in refused:
            console(sys.stderr).print(f"refused: {each.name}: {each.reason}")
        _fail(f"nothing done: the cluster refuses {counted(len(refused), 'object')}")
    print(f"{counted(len(manifests), 'object')} in force, config-hash {plan.config_hash}")


def _begin(path: Path) -> Journal:
    try:
        return Journal.begin(path)
    except FileExistsError:
        _fail(f"{path}: an earlier apply was not finished; edge mesh apply --roll-back undoes it")
    except OSError as error:
        _fail(f"{path}: {error.strerror}; --journal FILE puts it elsewhere")


def _roll_back(target: Target, path: Path) -> None:
    if not path.exists():
        print(f"{path}: there is nothing to undo")
        return
    try:
        kept = undo(target, Journal(path), print)
    except StoreError as error:
        _fail(f"{error}; the journal is kept")
    if kept:
        _fail(f"not undone, since somebody has changed them: {', '.join(kept)}")


def _fail(text: str) -> NoReturn:
    console(sys.stderr).print(f"error: {text}")
    raise typer.Exit(FAILED)

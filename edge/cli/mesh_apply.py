"""
`edge mesh apply` and `edge mesh prune`: the policies put in force, and what is left of older ones removed.

Owns when nothing is done at all: a conflict with somebody else's object, a check of the mesh's own that fails, an earlier apply that nobody
finished, a flag that means nothing where it goes. What is done is said line by line. The cluster's part is `mesh_apply_cluster`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from edge.cli.mesh_apply_cluster import ClusterFlags, apply_to_cluster, begun, roll_back_cluster
from edge.cli.mesh_compare import TakeOverOption, compared, print_comparison
from edge.cli.mesh_consul import AgentOption, ConsulFlags, DatacenterOption, TokenOption, consul_of
from edge.cli.mesh_generate import AuditOption, DeployOption
from edge.cli.mesh_input import plan_of
from edge.cli.output import ConfigOption, counted, failed
from meshconfig.apply import ApplyError, Target
from meshconfig.apply import apply as apply_changes
from meshconfig.apply import roll_back as undo
from meshconfig.comparison import Comparison
from meshconfig.consul_store import StoreError
from meshconfig.document import Options
from meshconfig.journal import Journal
from meshconfig.ownership import owner_of
from meshconfig.plan import MeshPlan

JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        help="Where an apply writes down what it does, until it is finished; default: .edge-mesh-journal, "
        ".edge-mesh-journal-kubernetes.",
    ),
]
ToOption = Annotated[
    Literal["consul", "kubernetes"],
    typer.Option(
        "--to", help="Consul, or the cluster of the current kubectl context (all targets but Consul's own entries)."
    ),
]
JOURNAL, CLUSTER_JOURNAL = Path(".edge-mesh-journal"), Path(".edge-mesh-journal-kubernetes")


def apply(
    config: ConfigOption = Path("edge.yaml"),
    audit: AuditOption = False,
    deploy: DeployOption = False,
    take_over: TakeOverOption = False,
    agent: AgentOption = "",
    token_file: TokenOption = None,
    datacenter: DatacenterOption = "",
    journal: JournalOption = None,
    to: ToOption = "consul",
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="In Kubernetes: take over fields that others have set.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; Kubernetes is asked whether it would take all of it.")
    ] = False,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Undo an apply that was interrupted, by its journal; do nothing else.")
    ] = False,
) -> None:
    """
    Put the policies into Consul or Kubernetes: all of them, or none.

    Touches only what carries this gateway's mark, and in shared entries of Consul's only its own part. When a write fails, those
    before it are undone. Kubernetes must take all of it in a dry run first, and gets it by server-side apply as the field manager "edge".
    Look at edge mesh plan first.
    """
    plan = plan_of(config)
    consul = ConsulFlags(agent, token_file, datacenter)
    if to == "kubernetes":
        _refuse(consul, "--to kubernetes asks no Consul")
        kept = journal or CLUSTER_JOURNAL
        if roll_back:
            roll_back_cluster(kept)
        else:
            options = Options(audit=audit, deploy=deploy)
            flags = ClusterFlags(take_over=take_over, force=force_conflicts, dry_run=dry_run)
            apply_to_cluster(plan, options, flags, kept)
        return
    for given, flag in ((force_conflicts, "--force-conflicts"), (deploy, "--deploy")):
        if given:
            raise typer.BadParameter("is for Kubernetes: add --to kubernetes", param_hint=flag)
    store = partial(consul_of, config, consul)
    if roll_back:
        _roll_back(Target(store(), owner_of(plan)), journal or JOURNAL)
        return
    found = compared(plan, "consul", Options(audit=audit), store, take_over=take_over)
    if dry_run:
        print_comparison(found)
        return
    _carry_out(plan, Target(store(), owner_of(plan)), found, journal or JOURNAL)


def prune(
    config: ConfigOption = Path("edge.yaml"),
    deploy: DeployOption = False,
    agent: AgentOption = "",
    token_file: TokenOption = None,
    datacenter: DatacenterOption = "",
    journal: JournalOption = None,
    to: ToOption = "consul",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove what carries this gateway's mark and is in the configuration no more; nothing else."""
    plan = plan_of(config)
    consul = ConsulFlags(agent, token_file, datacenter)
    if to == "kubernetes":
        _refuse(consul, "--to kubernetes asks no Consul")
        flags = ClusterFlags(only_prune=True, dry_run=dry_run)
        apply_to_cluster(plan, Options(deploy=deploy), flags, journal or CLUSTER_JOURNAL)
        return
    if deploy:
        raise typer.BadParameter("is for Kubernetes: add --to kubernetes", param_hint="--deploy")
    store = partial(consul_of, config, consul)
    found = compared(plan, "consul", Options(), store, only_prune=True)
    if dry_run:
        print_comparison(found)
        return
    _carry_out(plan, Target(store(), owner_of(plan)), found, journal or JOURNAL)


def _refuse(consul: ConsulFlags, why: str) -> None:
    """A flag that would be ignored is a mistake."""
    given = {"--agent": consul.agent, "--token-file": consul.token_file, "--datacenter": consul.datacenter}
    for flag, value in given.items():
        if value:
            raise typer.BadParameter(why, param_hint=flag)


def _carry_out(plan: MeshPlan, target: Target, found: Comparison, path: Path) -> None:
    print_comparison(found)
    if found.conflicts:
        failed(f"nothing done: {counted(len(found.conflicts), 'object')} of somebody else in the way")
    if found.refusals:
        failed(f"nothing done: Consul would refuse {counted(len(found.refusals), 'thing')} of it")
    if not found.changes:
        return
    journal = begun(path, "edge mesh apply --roll-back")
    try:
        made = apply_changes(target, found.changes, journal, print)
    except ApplyError as error:
        left = f"; not undone: {', '.join(error.kept)}" if error.kept else "; everything before it is undone"
        failed(f"{error}{left}")
    except StoreError as error:
        failed(f"{error}; half of it is in force: edge mesh apply --roll-back undoes it ({path})")
    print(f"{counted(made, 'change')} made, config-hash {plan.config_hash}")


def _roll_back(target: Target, path: Path) -> None:
    if not path.exists():
        print(f"{path}: there is nothing to undo")
        return
    if any("apiVersion" in (noted.after or noted.before or {}) for noted in Journal(path).noted()):
        failed(f"{path}: is of an apply to Kubernetes: add --to kubernetes")
    try:
        kept = undo(target, Journal(path), print)
    except StoreError as error:
        failed(f"{error}; the journal is kept")
    if kept:
        failed(f"not undone, since somebody has changed them: {', '.join(kept)}")

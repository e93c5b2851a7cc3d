"""
`edge mesh apply --to kubernetes` and what belongs to it: a live cluster compared, changed, put back.

Owns when nothing is done: somebody else's object of the same name, a change the cluster refuses in its dry run, an earlier apply that
nobody finished. The current kubectl context says which cluster that is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from edge.cli.mesh_compare import compared_with_cluster, print_comparison
from edge.cli.mesh_input import checked_documents
from edge.cli.output import console, counted, failed
from meshconfig.cluster import Cluster, ClusterError
from meshconfig.cluster_apply import HalfAppliedError, apply, roll_back, tried
from meshconfig.comparison import Comparison
from meshconfig.document import Options
from meshconfig.journal import Journal
from meshconfig.kube_client import KubernetesCluster
from meshconfig.manifests import wanted
from meshconfig.plan import MeshPlan


@dataclass(frozen=True, slots=True)
class ClusterFlags:
    """What may be done. `take_over`: to objects of others, `force`: to fields of others."""

    take_over: bool = False
    force: bool = False
    dry_run: bool = False
    only_prune: bool = False


def apply_to_cluster(plan: MeshPlan, options: Options, flags: ClusterFlags, path: Path) -> None:
    """All of the plan, or nothing; exits with 1 where that is nothing."""
    asked = wanted(checked_documents(plan, options))
    try:
        cluster = KubernetesCluster()
        found = compared_with_cluster(cluster, plan, asked, take_over=flags.take_over, only_prune=flags.only_prune)
        print_comparison(found)
        if found.conflicts:
            failed(f"nothing done: {counted(len(found.conflicts), 'object')} of somebody else in the way")
        refused = tried(cluster, found.changes, force=flags.force)
    except ClusterError as error:
        failed(f"nothing done: {error}")
    for each in refused:
        console(sys.stderr).print(f"refused: {each.name}: {each.reason}")
    if refused:
        failed(f"nothing done: the cluster refuses {counted(len(refused), 'object')}")
    if flags.dry_run:
        print("the cluster would take all of it")
    elif found.changes:
        _carry_out(cluster, plan, found, flags, path)


def _carry_out(cluster: Cluster, plan: MeshPlan, found: Comparison, flags: ClusterFlags, path: Path) -> None:
    journal = begun(path, "edge mesh apply --to kubernetes --roll-back")
    try:
        made = apply(cluster, found.changes, journal, print, force=flags.force)
    except HalfAppliedError as error:
        left = f"; not undone: {', '.join(error.kept)}" if error.kept else "; everything before it is undone"
        failed(f"{error}{left}")
    except ClusterError as error:
        failed(f"{error}; half of it is in force: edge mesh apply --to kubernetes --roll-back undoes it ({path})")
    print(f"{counted(made, 'change')} made, config-hash {plan.config_hash}")


def begun(path: Path, undoes: str) -> Journal:
    """A new journal; ends the command where an earlier apply was not finished, which `undoes` would undo."""
    try:
        return Journal.begin(path)
    except FileExistsError:
        failed(f"{path}: an earlier apply was not finished; {undoes} undoes it")
    except OSError as error:
        failed(f"{path}: {error.strerror}; --journal FILE puts it elsewhere")


def roll_back_cluster(path: Path) -> None:
    """Undo an apply that nobody finished."""
    if not path.exists():
        print(f"{path}: there is nothing to undo")
        return
    journal = Journal(path)
    if any("apiVersion" not in (noted.after or noted.before or {}) for noted in journal.noted()):
        failed(f"{path}: is of an apply to Consul: leave out --to kubernetes")
    try:
        kept = roll_back(KubernetesCluster(), journal, print)
    except ClusterError as error:
        failed(f"{error}; the journal is kept")
    if kept:
        failed(f"not undone, since somebody has changed them: {', '.join(kept)}")

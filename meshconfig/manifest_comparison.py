"""
The plan's Kubernetes objects against those of a folder or a dump: the changes, what they open and close, what others have opened.

Owns that reachability is read from the objects themselves, of both sides. Consul's custom resources are compared as objects; what they
open is told by comparing with Consul. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshconfig.comparison import Comparison
from meshconfig.consul_access import ANYTHING_ELSE
from meshconfig.diff import Change
from meshconfig.grants import ANYONE, Grant, accesses, named_paths
from meshconfig.grants_istio import istio_grants, istio_workloads
from meshconfig.grants_linkerd import linkerd_grants, linkerd_servers
from meshconfig.manifests import manifest_changes
from meshconfig.ownership import owner_of
from meshconfig.plan import MeshPlan
from meshconfig.reach import reach

Manifest = Mapping[str, Any]


def compare_manifests(
    plan: MeshPlan, there: list[dict[str, Any]], asked: list[dict[str, Any]], *, take_over: bool = False
) -> Comparison:
    """The comparison; `asked` is what the plan makes."""
    found = manifest_changes(there, asked, owner_of(plan), take_over=take_over)
    after = list(_outcome(there, found))
    old, new = _grants(there), _grants(after)
    paths = named_paths(old, new)
    for callee in (*_guarded(there), *_guarded(after)):
        paths.setdefault(callee, frozenset())
    before, then = accesses(old, _guarded(there), paths), accesses(new, _guarded(after), paths)
    ours = {grant.via for grant in _grants(asked)}
    return Comparison(
        found, reach(before, then), tuple(sorted({_warning(grant) for grant in new if grant.via not in ours}))
    )


def _outcome(there: Iterable[Manifest], found: Iterable[Change]) -> Iterable[Manifest]:
    replaced = {
        id(change.before.raw) for change in found if change.before is not None and change.action in {"change", "delete"}
    }
    yield from (manifest for manifest in there if id(manifest) not in replaced)
    yield from (
        change.after.raw for change in found if change.after is not None and change.action in {"create", "change"}
    )


def _grants(manifests: Iterable[Manifest]) -> list[Grant]:
    known = list(manifests)
    return [*linkerd_grants(known), *istio_grants(known)]


def _guarded(manifests: Iterable[Manifest]) -> set[str]:
    known = list(manifests)
    return {*linkerd_servers(known), *istio_workloads(known)}


def _warning(grant: Grant) -> str:
    what = "everything" if ANYTHING_ELSE in grant.paths else f"{len(grant.paths)} of the paths"
    who = "anyone, even without an identity," if grant.caller == ANYONE else grant.caller
    return f"{grant.mesh}: {grant.via}: not ours, lets {who} call {what} of {grant.callee}"

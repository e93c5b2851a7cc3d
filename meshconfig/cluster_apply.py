"""
Changes put into a Kubernetes cluster, all of them or none: server-side apply as the field manager `edge`.

Owns: nothing is written before the cluster has taken every change in a dry run of its own (schema, admission, permissions, fields that
others own); when a write fails all the same, those before it are undone, backwards, unless somebody has changed them since. To undo is to
delete what was created, to create what was deleted, and to apply again what was ours of a changed object. A cluster has no transaction:
between the first write and the last the state is half of both, and the journal says which. What denies is written last and removed first,
so that no caller is shut out before what lets him in stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meshconfig import normal
from meshconfig.cluster import MANAGER, Cluster, ClusterError, name_of
from meshconfig.diff import Change
from meshconfig.journal import Entry, Journal
from meshconfig.managed_fields import merged, named, owned
from meshconfig.manifests import shaped

Manifest = Mapping[str, Any]
Told = Callable[[str], None]
_PAST: Mapping[str, str] = {"create": "created", "change": "changed", "delete": "deleted"}
_DENY = ("Server", "PeerAuthentication", "NetworkPolicy")
"""Kinds whose mere presence shuts callers out."""


class HalfAppliedError(Exception):
    """A write failed; `kept` names what could not be undone because somebody has changed it since."""

    def __init__(self, reason: str, kept: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.kept = kept


@dataclass(frozen=True, slots=True)
class Refusal:
    """One change the cluster would not take."""

    name: str
    reason: str


def steps(found: Iterable[Change]) -> tuple[Change, ...]:
    """Every change but conflicts, in order."""
    made = [change for change in found if change.action != "conflict"]
    writes = [change for change in made if change.action != "delete"]
    deletes = [change for change in made if change.action == "delete"]
    return (*sorted(writes, key=_denies), *sorted(deletes, key=_denies, reverse=True))


def _denies(change: Change) -> bool:
    return change.key.kind.partition(".")[0] in _DENY


def tried(cluster: Cluster, found: Iterable[Change], *, force: bool) -> tuple[Refusal, ...]:
    """What the cluster would refuse, asked of it in a dry run."""
    refused = []
    for change in steps(found):
        try:
            _make(cluster, change, dry_run=True, force=force)
        except ClusterError as error:
            refused.append(Refusal(_name(change), str(error)))
    return tuple(refused)


def apply(cluster: Cluster, found: Iterable[Change], journal: Journal, told: Told, *, force: bool) -> int:
    """
    Make the changes in order; how many were made. `told` hears of each.

    Raises HalfAppliedError when one failed, after undoing the others, and ClusterError when even that fails: the journal is kept then.
    """
    made = 0
    for change in steps(found):
        journal.note(change.key, change.before, change.after)
        try:
            _make(cluster, change, dry_run=False, force=force)
        except ClusterError as error:
            told(f"failed: {_name(change)}: {error}")
            raise HalfAppliedError(f"{_name(change)}: {error}", roll_back(cluster, journal, told)) from None
        made += 1
        told(f"{_PAST[change.action]}: {_name(change)}")
    journal.finish()
    return made


def roll_back(cluster: Cluster, journal: Journal, told: Told) -> tuple[str, ...]:
    """Undo what a journal holds, newest first; what somebody has changed since is left, and named. Raises ClusterError."""
    kept: list[str] = []
    for noted in reversed(journal.noted()):
        raw = noted.after or noted.before
        assert raw is not None  # a change is from something or to something
        outcome = _undo(cluster, noted, cluster.read(raw))
        if outcome:
            told(f"{outcome}: {name_of(raw)}")
        if outcome == _KEPT:
            kept.append(name_of(raw))
    journal.finish()
    return tuple(kept)


_UNDONE, _KEPT = "undone", "not undone, somebody has changed it since"


def _undo(cluster: Cluster, noted: Entry, live: Manifest | None) -> str:
    """What was done about it; empty when it had not been made."""
    before, after = noted.before, noted.after
    if _version(live) == _version(before):
        return ""
    if after is None:
        assert before is not None
        if live is not None:
            return _KEPT
        cluster.apply(_bare(before), dry_run=False, force=False)
    elif live is None or not _is(live, after):
        return _KEPT
    elif before is None:
        cluster.delete(live, dry_run=False)
    else:
        cluster.apply(former(before, after), dry_run=False, force=False)
    return _UNDONE


def former(before: Manifest, after: Manifest) -> dict[str, Any]:
    """
    What puts an object back: what was ours of it, and the old values of what `after` has set.

    Of a field that was taken from somebody else the old value comes back, and stays ours: who owned it before cannot be made to own it.
    """
    found: dict[str, Any] = merged(owned(before, MANAGER), named(before, shaped(_bare(before), _bare(after))))
    return found


def _is(live: Manifest, asked: Manifest) -> bool:
    wanted = _bare(asked)
    return bool(shaped(_bare(live), wanted) == wanted)


def _bare(manifest: Manifest) -> dict[str, Any]:
    """Without what the cluster keeps about it; our own marks are part of what was written."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in normal.CLUSTERS_OWN}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def _version(manifest: Manifest | None) -> tuple[str, str] | None:
    if manifest is None:
        return None
    metadata = manifest["metadata"]
    return str(metadata.get("uid", "")), str(metadata.get("resourceVersion", ""))


def _make(cluster: Cluster, change: Change, *, dry_run: bool, force: bool) -> None:
    if change.after is not None:
        cluster.apply(change.after.raw, dry_run=dry_run, force=force)
    elif change.before is not None:
        cluster.delete(change.before.raw, dry_run=dry_run)


def _name(change: Change) -> str:
    item = change.after or change.before
    assert item is not None
    return name_of(item.raw)

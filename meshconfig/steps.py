"""
Changes in the order in which Consul takes them.

Owns that order: a splitter goes before the subsets it names, a new subset comes before the splitter that names it, so that a resolver which
exchanges subsets is written twice, first with both; a service becomes `tcp` once no permission is left. Intentions are written before
anything old of them is removed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from meshconfig import normal
from meshconfig.consul import ORDER
from meshconfig.diff import Change
from meshconfig.items import Item, Key

_FIRST_AWAY = ("service-router", "service-splitter")
"""They hold on to protocols and subsets, and allow nothing: they are deleted before anything is written."""


def steps(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Every change but conflicts, in order."""
    made = [change for change in changes if change.action != "conflict"]
    deletes = sorted((change for change in made if change.action == "delete"), key=_rank, reverse=True)
    writes = sorted((change for change in made if change.action != "delete"), key=_rank)
    early = [change for change in deletes if change.key.kind in _FIRST_AWAY]
    ordered: list[Change] = [*early]
    last: list[Change] = []
    for change in writes:
        if _turns_tcp(change):
            last.append(change)
            continue
        both = _with_old_subsets(change)
        ordered.append(both or change)
        if both is not None:
            last.append(replace(change, before=both.after))
    return (*ordered, *last, *(change for change in deletes if change not in early))


def _rank(change: Change) -> tuple[int, Key]:
    kind = change.key.kind
    return ORDER.index(kind) if kind in ORDER else len(ORDER), change.key


def _turns_tcp(change: Change) -> bool:
    """Consul refuses tcp while an intention has permissions: those go first."""
    before, after = (side.body.get("Protocol") if side else None for side in (change.before, change.after))
    return change.key.kind == "service-defaults" and after == "tcp" and before not in {None, "tcp"}


def _with_old_subsets(change: Change) -> Change | None:
    """The first half of an exchange, None where no subset goes."""
    if change.key.kind != "service-resolver" or change.before is None or change.after is None:
        return None
    old: dict[str, Any] = change.before.raw.get("Subsets") or {}
    new: dict[str, Any] = change.after.raw.get("Subsets") or {}
    if not set(old) - set(new):
        return None
    subsets = {**old, **new}
    raw = {**change.after.raw, "Subsets": subsets}
    return replace(change, after=Item(normal.consul_entry(raw), raw, change.after.owner))

"""
The plan against a Consul: the changes, what they open and close, and what others have opened.

Owns which kinds are looked at. Pure but for reading the entries it is given the interface of.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshconfig.consul import ORDER, entries
from meshconfig.consul_access import access, universe
from meshconfig.consul_graph import refused_together
from meshconfig.consul_rules import refused
from meshconfig.consul_store import ConfigEntries
from meshconfig.diff import Change, changes, outcome
from meshconfig.document import Options
from meshconfig.items import Entry, entries_of, items
from meshconfig.ownership import owner_of
from meshconfig.plan import MeshPlan
from meshconfig.reach import Reach, reach
from meshconfig.widening import widened

READ_ONLY = ("mesh",)
"""Kinds that are looked at and never written."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would be done, what it means, and what to beware of; all sorted."""

    changes: tuple[Change, ...]
    reach: tuple[Reach, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    """What Consul would refuse, in its words."""

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Foreign objects in the way."""
        return tuple(change for change in self.changes if change.action == "conflict")


def read_all(store: ConfigEntries) -> list[Entry]:
    """Every entry of every kind that matters. Raises StoreError."""
    return [entry for kind in (*ORDER, *READ_ONLY) for entry in store.listed(kind)]


def compare(
    plan: MeshPlan, live: list[Entry], options: Options, *, take_over: bool = False, only_prune: bool = False
) -> Comparison:
    """`only_prune` leaves the deletes alone of all changes."""
    owner, before = owner_of(plan), items(live)
    found = changes(before, items(entries(plan, options)), owner, take_over=take_over)
    if only_prune:
        found = tuple(change for change in found if change.action == "delete")
    after = outcome(before, found)
    names = {service.key: service.consul_name for service in plan.services}
    callees = sorted(
        {*names.values(), *(change.key.name for change in found if change.key.kind == "service-intentions")} - {"*"}
    )
    paths = {callee: frozenset[str]() for callee in callees}
    for allowance in plan.allowed:
        paths[names[allowance.callee]] |= {rpc.path for rpc in allowance.rpcs}
    judged = universe(paths, before, after)
    old, new = (access(state, callees, judged, default=plan.default_allow) for state in (before, after))
    return Comparison(found, reach(old, new), widened(after, plan, owner), refusals(entries_of(after)))


def refusals(whole: list[Entry]) -> tuple[str, ...]:
    """Every reason Consul would have, each with its entry."""
    alone = (f"{entry['Kind']}/{entry['Name']}: {reason}" for entry in whole for reason in refused(entry))
    return (*alone, *refused_together(whole))

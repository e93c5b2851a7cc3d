"""
What generated objects let whom do, each with the object that says so: what `explain` tells and reachability is made of.

Owns the shape, and the words for callers without a name. `grants_consul`, `grants_linkerd` and `grants_istio` read the objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshconfig.consul_access import ANYONE_ELSE, ANYTHING_ELSE, Access

ANYONE = "anyone, without an identity"
ANY_IDENTITY = "anyone in the mesh"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """`paths` holds ANYTHING_ELSE where nothing is excepted; `via` names the object, and what it hangs on."""

    mesh: str
    callee: str
    caller: str
    paths: frozenset[str]
    via: str

    def allows(self, path: str) -> bool:
        """Whether a call of this path passes."""
        return path in self.paths or ANYTHING_ELSE in self.paths


def accesses(
    grants: Iterable[Grant], guarded: Iterable[str], paths: Mapping[str, frozenset[str]]
) -> dict[tuple[str, str], Access]:
    """
    By caller and callee, as `reach` compares them.

    `guarded` are the callees that something guards; one that nothing guards is open to all. `paths` are those to judge, of every callee.
    """
    held, whole = list(grants), set(guarded)
    found: dict[tuple[str, str], frozenset[str]] = {}
    for callee, judged in paths.items():
        everything = judged | {ANYTHING_ELSE}
        found[ANYONE_ELSE, callee] = frozenset() if callee in whole else everything
        for grant in held:
            if grant.callee == callee:
                pair = (grant.caller, callee)
                open_ = everything if ANYTHING_ELSE in grant.paths else grant.paths
                found[pair] = found.get(pair, frozenset()) | open_
    return {pair: Access(*pair, open_) for pair, open_ in found.items()}


def named_paths(*states: Iterable[Grant]) -> dict[str, frozenset[str]]:
    """The paths any of these grants names, by callee."""
    found: dict[str, frozenset[str]] = {}
    for state in states:
        for grant in state:
            found[grant.callee] = found.get(grant.callee, frozenset()) | (grant.paths - {ANYTHING_ELSE})
    return found

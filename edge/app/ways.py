"""
Upstreams as calls are given them: a pool, or several ways to pools, made from what the configuration says.

Owns that an upstream with one way is its pool itself, at no cost to its calls, and when an upstream cannot serve: when no way of it can.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.config.models import Config
from edge.config.ways import Ways, ways_of
from edge.upstream.pool import Pool
from edge.upstream.routed import Destination, RoutedUpstream, Way

Calls = dict[str, dict[str, int]]
"""How many calls began on each way: by upstream, by the way's label. Kept across reloads."""


def routed(config: Config, pools: Mapping[str, Pool], calls: Calls) -> dict[str, Destination]:
    """Every upstream of the file by its name. That ways lead in no circle is the configuration's affair."""
    made: dict[str, Destination] = {}

    def of(name: str) -> Destination:
        if name not in made:
            ways = ways_of(config, name)
            made[name] = pools[name] if ways is None else several(name, ways)
        return made[name]

    def several(name: str, ways: Ways) -> RoutedUpstream:
        tiers = [
            [Way(way.label, way.weight, pools[way.name] if way.is_pool else of(way.name)) for way in tier]
            for tier in ways.tiers
        ]
        return RoutedUpstream(name, tiers, ways.sticky, calls.setdefault(name, {}))

    for name in config.upstreams:
        of(name)
    return made


def unserved(config: Config, faults: Mapping[str, str]) -> dict[str, str]:
    """
    The upstreams that cannot serve because of faults of pools, each with its own, or its first way's, reason.

    One that only stands in for others is no reason not to serve: whether it can shows where it is needed.
    """
    stand_ins = {name for each in config.upstreams if (ways := ways_of(config, each)) for name in ways.upstreams}
    needed = [name for name in config.upstreams if name not in stand_ins or _is_exposed(config, name)]
    found = ((name, _fault(config, name, faults)) for name in needed)
    return {name: fault for name, fault in found if fault is not None}


def _is_exposed(config: Config, name: str) -> bool:
    return any(api.upstream == name for api in config.apis)


def _fault(config: Config, name: str, faults: Mapping[str, str]) -> str | None:
    ways = ways_of(config, name)
    if ways is None:
        return faults.get(name)
    found = [
        faults.get(way.name) if way.is_pool else _fault(config, way.name, faults) for tier in ways.tiers for way in tier
    ]
    return found[0] if all(fault is not None for fault in found) else None

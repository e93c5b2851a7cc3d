"""
The ways a call to an upstream may take, as the configuration means them, and the pools that takes.

Owns what `split` and `failover` come to, wherever they are written: below `upstreams`, or below `mesh.services` with `by: edge`. A subset
by labels and another datacenter are pools of their own, made from the upstream's section; their names are no upstreams. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge.config.consul_models import UpstreamConsul
from edge.config.models import Config, Upstream
from edge.config.traffic_models import Subset, UpstreamFailover, UpstreamSplit
from edge.core.consul_filter import metadata_filter


@dataclass(frozen=True, slots=True)
class Way:
    """`name` is an upstream of the file, or, with `is_pool`, a pool. `label` is what logs and metrics call it."""

    label: str
    name: str
    weight: float = 100.0
    is_pool: bool = True


@dataclass(frozen=True, slots=True)
class Ways:
    """The split, if any, is the first tier; each further tier is where the failover goes next. `sticky` is empty for turns."""

    tiers: tuple[tuple[Way, ...], ...]
    sticky: str = ""

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The other upstreams of the file among them."""
        return tuple(dict.fromkeys(way.name for tier in self.tiers for way in tier if not way.is_pool))


def ways_of(config: Config, name: str) -> Ways | None:
    """None where an upstream has one way: its own endpoints."""
    split, failover = split_of(config, name), failover_of(config, name)
    if split is None and failover is None:
        return None
    subsets = {} if split is None else split.subsets
    first = tuple(_of_subset(name, each, subset) for each, subset in subsets.items()) or (Way(name, name),)
    tiers = [first]
    if failover is not None:
        tiers += [(Way(there, there),) for there in (_in_datacenter(name, dc) for dc in failover.datacenters)]
        tiers += [(Way(other, other, is_pool=False),) for other in failover.upstreams]
    return Ways(tuple(tiers), (split.sticky or "") if split is not None else "")


def split_of(config: Config, name: str) -> UpstreamSplit | None:
    """The division the gateway makes."""
    service = config.mesh.services.get(name) if config.mesh is not None else None
    by_edge = (
        service.split if service is not None and service.split is not None and service.split.by == "edge" else None
    )
    return config.upstreams[name].split or by_edge


def failover_of(config: Config, name: str) -> UpstreamFailover | None:
    """The failover the gateway makes."""
    service = config.mesh.services.get(name) if config.mesh is not None else None
    given = None if service is None else service.failover
    return config.upstreams[name].failover or (given if given is not None and given.by == "edge" else None)


def pooled(config: Config) -> dict[str, Upstream]:
    """
    The section each pool is made from, by the pool's name.

    Without split and failover: a pool is kept across a reload that changes no more than those.
    """
    found: dict[str, Upstream] = {}
    for name, upstream in config.upstreams.items():
        own = upstream
        if upstream.split is not None or upstream.failover is not None:
            own = upstream.model_copy(update={"split": None, "failover": None})
        found[name] = own
        if own.consul is not None:
            found |= dict(_derived(config, name, own, own.consul))
    return found


def _derived(config: Config, name: str, own: Upstream, consul: UpstreamConsul) -> Iterator[tuple[str, Upstream]]:
    split, failover = split_of(config, name), failover_of(config, name)
    for each, subset in ({} if split is None else split.subsets).items():
        if subset.labels:
            parts = [f"({consul.filter})"] if consul.filter else []
            text = " and ".join([*parts, metadata_filter(subset.labels)])
            yield _subset(name, each), _with(own, consul, filter=text)
    for datacenter in () if failover is None else failover.datacenters:
        yield _in_datacenter(name, datacenter), _with(own, consul, datacenter=datacenter)


def _with(own: Upstream, consul: UpstreamConsul, **changed: str) -> Upstream:
    return own.model_copy(update={"consul": consul.model_copy(update=changed)})


def _of_subset(name: str, each: str, subset: Subset) -> Way:
    if subset.upstream is not None:
        return Way(subset.upstream, subset.upstream, subset.weight, is_pool=subset.upstream == name)
    return Way(_subset(name, each), _subset(name, each) if subset.labels else name, subset.weight)


def _subset(name: str, each: str) -> str:
    return f"{name}/{each}"


def _in_datacenter(name: str, datacenter: str) -> str:
    return f"{name}@{datacenter}"

"""
A compiled discovery chain as shares of traffic, each with the targets that serve it.

Owns how a gateway reads a chain: of a router it takes the route that matches everything (paths are its own routes' affair), of a
splitter every split with its weight, of a resolver the target and then its failover targets, the first that has an instance. A
node that leads nowhere or in a circle has no share. Source: https://developer.hashicorp.com/consul/api-docs/discovery-chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.core.consul_identity import DEFAULT, MeshService
from edge.core.consul_instances import Instance, in_order

MAX_TARGETS = 64
"""Targets of one chain that are watched: each costs an open query at the agent."""

_SCALE = 10_000  # Consul's split weights go down to 0.01 %
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Target:
    """One set of instances a chain leads to. `filter` and `only_passing` make the subset; `gateway` is local, remote or empty."""

    service: MeshService
    subset: str = ""
    filter: str = ""
    only_passing: bool = False
    sni: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the traffic, `weight` of all weights; `targets` in order: the first that has an instance takes it."""

    weight: float
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chain comes to. `protocol` is the service's, `tcp` where nothing was said."""

    protocol: str
    shares: tuple[Share, ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target once, in order, at most MAX_TARGETS."""
        return tuple(dict.fromkeys(target for share in self.shares for target in share.targets))[:MAX_TARGETS]


def read_chain(body: Mapping[str, Any]) -> Chain:
    """The chain in the body of /v1/discovery-chain/:service. Raises ValueError for one that is not as documented."""
    try:
        chain = body["Chain"]
        nodes, targets = chain["Nodes"], {name: _target(given) for name, given in chain["Targets"].items()}
        shares = tuple(_shares(nodes, targets, chain["StartNode"], 1.0, 0))
        return Chain(str(chain.get("Protocol") or "tcp"), shares)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"the discovery chain is not as documented: {error!r}") from None


def _target(given: Mapping[str, Any]) -> Target:
    service = MeshService(
        service=str(given["Service"]),
        datacenter=str(given.get("Datacenter") or ""),
        namespace=str(given.get("Namespace") or DEFAULT),
        partition=str(given.get("Partition") or DEFAULT),
        peer=str(given.get("Peer") or ""),
    )
    subset = given.get("Subset") or {}
    mode = str((given.get("MeshGateway") or {}).get("Mode") or "")
    return Target(
        service,
        subset=str(given.get("ServiceSubset") or ""),
        filter=str(subset.get("Filter") or ""),
        only_passing=bool(subset.get("OnlyPassing")),
        sni=str(given.get("SNI") or ""),
        gateway="" if mode == "none" else mode,
    )


def _shares(
    nodes: Mapping[str, Any], targets: Mapping[str, Target], name: str, weight: float, depth: int
) -> Iterator[Share]:
    node = nodes.get(name)
    if node is None or depth > _MAX_DEPTH or weight <= 0:
        return
    if node["Type"] == "router":
        yield from _shares(nodes, targets, node["Routes"][-1]["NextNode"], weight, depth + 1)
    elif node["Type"] == "splitter":
        for split in node["Splits"]:
            part = weight * float(split.get("Weight") or 0) / 100
            yield from _shares(nodes, targets, split["NextNode"], part, depth + 1)
    elif node["Type"] == "resolver":
        resolver = node["Resolver"]
        names = [resolver["Target"], *((resolver.get("Failover") or {}).get("Targets") or ())]
        yield Share(weight, tuple(targets[each] for each in names if each in targets))


def merged(parts: Sequence[tuple[float, tuple[Instance, ...]]]) -> tuple[Instance, ...]:
    """
    The instances of several shares as one set, each share's weight spread over its instances.

    One share keeps Consul's own weights. A share without an instance gives its part to the others.
    """
    serving = [(weight, instances) for weight, instances in parts if instances]
    if len(serving) <= 1:
        return serving[0][1] if serving else ()
    found: dict[Instance, int] = {}
    for weight, instances in serving:
        total = sum(instance.weight for instance in instances)
        for instance in instances:
            scaled = max(1, round(_SCALE * weight * instance.weight / total))
            key = replace(instance, weight=1)
            found[key] = found.get(key, 0) + scaled
    return in_order(replace(instance, weight=weight) for instance, weight in found.items())

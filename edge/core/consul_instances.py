"""
Consul's health entries as the instances calls may go to.

Owns what counts: an instance without an address or port is left out and counted, one with a critical check (maintenance is one) is
left out, one that warns has its own weight, weight 0 takes no calls. A sidecar stands for the service behind it: that one's name
is what its certificate says. The result is sorted, so that equal sets compare equal: Consul gives no order.
Source: https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core.consul_identity import DEFAULT, MeshService

Entry = Mapping[str, Any]
"""A member of a JSON answer."""

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Instance:
    """An address that takes calls, and what is known of who answers there."""

    address: str
    port: int
    weight: int
    """Its share of calls, 1 or more."""
    warning: bool
    """A check warns; `weight` is the one for that."""
    identity: MeshService
    """Whose certificate to expect, if the address is in the mesh at all."""
    connect: bool
    """A sidecar or a native service: it speaks mTLS with the mesh's certificates."""
    id: str
    node: str
    tags: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    spiffe_ids: tuple[str, ...] = ()
    """What an exporting peer says its certificates carry; then these count, not `identity`."""
    sni: str = ""
    """The server name the exporting peer wants, or the discovery chain; empty: none is needed."""

    @property
    def endpoint(self) -> str:
        """`host:port`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Observed:
    """One answer: the instances that take calls, and how many do not and why."""

    instances: tuple[Instance, ...] = ()
    critical: int = 0
    unusable: int = 0
    """No address or port, weight 0, or not the shape Consul documents."""

    @property
    def total(self) -> int:
        """All that Consul listed."""
        return len(self.instances) + self.critical + self.unusable


def observe(entries: Sequence[Entry], *, only_passing: bool = False, wan: bool = False) -> Observed:
    """
    The instances in the body of /v1/health/service, /v1/health/connect, or a prepared query's Nodes.

    `only_passing` leaves out those that warn; `wan` takes the address meant for other datacenters where there is one.
    """
    found: set[Instance] = set()
    critical = unusable = 0
    for entry in entries:
        try:
            status = _status(entry.get("Checks") or ())
            instance = _instance(entry, warning=status == "warning", wan=wan)
        except (AttributeError, KeyError, TypeError, ValueError):
            unusable += 1  # one entry that is no entry must not cost the others
            continue
        if status == "critical" or (only_passing and status == "warning"):
            critical += 1
        elif instance is None:
            unusable += 1
        else:
            found.add(instance)
    return Observed(in_order(found), critical, unusable)


def in_order(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """The order in which equal sets are equal tuples."""
    return tuple(sorted(instances, key=lambda each: (each.address, each.port, each.node, each.id)))


def _status(checks: Sequence[Entry]) -> str:
    statuses = {str(check.get("Status")) for check in checks}
    if statuses - {"passing", "warning"}:  # critical, maintenance, or a word we do not know
        return "critical"
    return "warning" if "warning" in statuses else "passing"


def _instance(entry: Entry, *, warning: bool, wan: bool) -> Instance | None:
    service, node = entry["Service"], entry["Node"]
    address, port = _place(service, node, wan=wan)
    weights = service.get("Weights") or {}
    weight = int(weights.get("Warning" if warning else "Passing", 1))
    if not address or not 0 < port <= _MAX_PORT or weight < 1:
        return None
    connect = service.get("Connect") or {}
    peer = connect.get("PeerMeta") or {}
    return Instance(
        address=address,
        port=port,
        weight=weight,
        warning=warning,
        identity=_identity(service, node),
        connect=service.get("Kind") == "connect-proxy" or bool(connect.get("Native")),
        id=str(service.get("ID") or ""),
        node=str(node.get("Node") or ""),
        tags=tuple(sorted(str(tag) for tag in service.get("Tags") or ())),
        meta=tuple(sorted((str(key), str(value)) for key, value in (service.get("Meta") or {}).items())),
        spiffe_ids=tuple(str(uri) for uri in peer.get("SpiffeID") or ()),
        sni=str(next(iter(peer.get("SNI") or ()), "")),
    )


def _place(service: Entry, node: Entry, *, wan: bool) -> tuple[str, int]:
    if wan:
        tagged = (service.get("TaggedAddresses") or {}).get("wan") or {}
        if tagged.get("Address"):
            return str(tagged["Address"]), int(tagged.get("Port") or service.get("Port") or 0)
        if (node.get("TaggedAddresses") or {}).get("wan") and not service.get("Address"):
            return str(node["TaggedAddresses"]["wan"]), int(service.get("Port") or 0)
    return str(service.get("Address") or node.get("Address") or ""), int(service.get("Port") or 0)


def _identity(service: Entry, node: Entry) -> MeshService:
    name = service["Service"]
    if service.get("Kind") == "connect-proxy":
        name = (service.get("Proxy") or {})["DestinationServiceName"]
    return MeshService(
        service=str(name),
        datacenter=str(node.get("Datacenter") or ""),
        namespace=str(service.get("Namespace") or DEFAULT),
        partition=str(service.get("Partition") or node.get("Partition") or DEFAULT),
        peer=str(service.get("PeerName") or node.get("PeerName") or ""),
    )

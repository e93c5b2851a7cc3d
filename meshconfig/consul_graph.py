"""
What Consul refuses about entries together, in Consul's own words: protocols that agree, subsets that exist, providers that are there.

Owns the rules of the discovery chain that what we write can break. Source: consul v1.16.2 agent/consul/discoverychain/compile.go,
agent/consul/state/config_entry.go. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshconfig.items import Entry

_HTTP_LIKE = {"http", "http2", "grpc"}
Index = Mapping[tuple[str, str], Entry]


def refused_together(entries: Iterable[Entry]) -> Iterator[str]:
    """Every reason; `entries` are all that will be there, others' among them."""
    index = {(entry["Kind"], entry["Name"]): entry for entry in entries}
    for (kind, name), entry in index.items():
        if kind in {"service-router", "service-splitter"}:
            yield from _chain(index, name, entry)
        elif kind == "service-intentions":
            yield from _intentions(index, name, entry)
        elif kind == "exported-services":
            yield from _exported(index, entry)


def protocol(index: Index, service: str) -> str:
    """Of a service, its own or the mesh's default."""
    shared = index.get(("proxy-defaults", "global"), {}).get("Config") or {}
    own = index.get(("service-defaults", service), {}).get("Protocol")
    return str(own or shared.get("protocol") or "tcp").lower()


def _chain(index: Index, name: str, entry: Entry) -> Iterator[str]:
    targets = list(_targets(entry))
    # A splitter speaks what its first target does, its own service need not take part; a router is its service's.
    first = targets[0][0] if targets and entry["Kind"] == "service-splitter" else ""
    spoken = protocol(index, first or name)
    if spoken not in _HTTP_LIKE:
        yield (
            f'discovery chain "{name}" uses a protocol "{spoken}" that does not permit advanced routing or splitting behavior'
        )
    for target, subset in targets:
        other = protocol(index, target or name)
        if other != spoken:
            yield (
                f'discovery chain "{name}" uses inconsistent protocols; service "{target}" has "{other}" which is not "{spoken}"'
            )
        if subset and subset not in (index.get(("service-resolver", target or name), {}).get("Subsets") or {}):
            yield f'service "{target or name}" does not have a subset named "{subset}"'


def _targets(entry: Entry) -> Iterator[tuple[str, str]]:
    parts: list[Mapping[str, Any]] = list(entry.get("Splits") or ())
    parts += [route.get("Destination") or {} for route in entry.get("Routes") or ()]
    for part in parts:
        yield part.get("Service") or "", part.get("ServiceSubset") or ""


def _intentions(index: Index, name: str, entry: Entry) -> Iterator[str]:
    permissions = [each for source in entry.get("Sources") or () for each in source.get("Permissions") or ()]
    spoken = protocol(index, name)
    if permissions and spoken not in _HTTP_LIKE:
        yield f'service "{name}" has protocol "{spoken}", which is incompatible with L7 intentions permissions'
    needed = {provider["Name"] for each in permissions for provider in (each.get("JWT") or {}).get("Providers") or ()}
    for provider in sorted(needed):
        if ("jwt-provider", provider) not in index:
            yield f"Referenced JWT Provider does not exist. Provider Name: {provider}"


def _exported(index: Index, entry: Entry) -> Iterator[str]:
    for service in entry.get("Services") or ():
        failovers = (index.get(("service-resolver", service["Name"]), {}).get("Failover") or {}).values()
        if any(failover.get("Datacenters") for failover in failovers):
            yield f'peer exported service "{service["Name"]}" contains cross-datacenter failover'

"""
The EndpointSlices of one Service, and the addresses that calls may go to.

Owns what counts. Slices are kept by name, so an event is an assignment and the order of slices means nothing; an address listed twice
(a pod moving between slices) is one endpoint. `ready` unset means ready; where no endpoint is ready, those that still serve while they
terminate take the calls, as with kube-proxy. Of a pod with an address of each family one is dialled. Topology hints count only if every
endpoint has one, and some are for our zone. The result is sorted, so that equal sets are equal.
Source: discovery.k8s.io/v1 EndpointSlice; kube-proxy's pkg/proxy/topology.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Slice = Mapping[str, Any]
"""An EndpointSlice as JSON."""

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class PodQuery:
    """
    What is asked of the slices.

    `port`: a port's name in the Service, or a number pods listen on, or None for the only one; `family`: the address type preferred.
    """

    port: str | None = None
    zone: str | None = None
    family: str = "IPv4"


@dataclass(frozen=True, slots=True, order=True)
class Pod:
    """An address that is listed, and what the slices say of it."""

    host: str
    port: int
    family: str = "IPv4"
    target: str = ""
    """The pod's UID (or name): of one pod's addresses one is used; empty when nobody says."""
    ready: bool = True
    serving: bool = True
    """It answers, though it may be on its way out."""
    zones: tuple[str, ...] | None = None
    """Whom the topology hints are for; None: there are none."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`places` take calls; `waiting` others are listed and do not; `unusable` entries have no address or not the port asked for."""

    places: tuple[tuple[str, int], ...] = ()
    waiting: int = 0
    unusable: int = 0
    terminating: bool = False
    """No endpoint is ready: these are leaving, and still serve."""


def endpoints_of(slices: Iterable[Slice], query: PodQuery) -> Endpoints:
    """The endpoints in slices of one Service, in any order."""
    pods: set[Pod] = set()
    unusable = 0
    for each in slices:
        found, useless = _pods(each, query)
        pods |= found
        unusable += useless
    ready = [pod for pod in pods if pod.ready]
    usable = ready or [pod for pod in pods if pod.serving]
    listed = {(pod.host, pod.port) for pod in pods}
    chosen = _one_family(_in_zone(usable, query.zone), query.family)
    places = tuple(sorted({(pod.host, pod.port) for pod in chosen}))
    waiting = len(listed - {(pod.host, pod.port) for pod in usable})
    return Endpoints(places, waiting, unusable, terminating=bool(usable and not ready))


def _pods(given: Slice, query: PodQuery) -> tuple[set[Pod], int]:
    """The usable entries of a slice, and how many are not."""
    try:
        port = _port(given.get("ports") or (), query.port)
        family = str(given["addressType"])
        entries: Sequence[Mapping[str, Any]] = given.get("endpoints") or ()
        if port is None:
            return set(), len(entries)
        found = [_pod(entry, port, family) for entry in entries]
    except (AttributeError, KeyError, TypeError, ValueError):
        return set(), 1  # one slice that is none must not cost the others
    return {pod for pod in found if pod is not None}, sum(pod is None for pod in found)


def _pod(entry: Mapping[str, Any], port: int, family: str) -> Pod | None:
    addresses = entry.get("addresses") or ()
    if not addresses:
        return None
    conditions = entry.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    target = entry.get("targetRef") or {}
    hints = (entry.get("hints") or {}).get("forZones")
    return Pod(
        host=str(addresses[0]),  # the others are equal by definition, and consumers are to use the first
        port=port,
        family=family,
        target=str(target.get("uid") or target.get("name") or ""),
        ready=ready,
        serving=ready if serving is None else serving is True,
        zones=tuple(str(zone["name"]) for zone in hints) if hints else None,
    )


def _port(ports: Sequence[Mapping[str, Any]], wanted: str | None) -> int | None:
    """The number of the port asked for; without a wish, of the only one over TCP."""
    over_tcp = [each for each in ports if (each.get("protocol") or "TCP") == "TCP" and each.get("port")]
    if wanted is None:
        found = over_tcp if len(over_tcp) == 1 else []
    elif wanted.isdecimal():
        found = [each for each in over_tcp if each["port"] == int(wanted)]
    else:
        found = [each for each in over_tcp if each.get("name") == wanted]
    number = int(found[0]["port"]) if found else 0
    return number if 0 < number <= _MAX_PORT else None


def _in_zone(pods: list[Pod], zone: str | None) -> list[Pod]:
    """Those hinted to our zone; all of them when some have no hint or none is for us."""
    if zone is None or any(pod.zones is None for pod in pods):
        return pods
    return [pod for pod in pods if zone in (pod.zones or ())] or pods


def _one_family(pods: list[Pod], preferred: str) -> list[Pod]:
    """Of one pod's addresses those of the preferred family, if it has any; addresses of nobody we know are all kept."""
    reached = {pod.target for pod in pods if pod.family == preferred}
    return [pod for pod in pods if pod.family == preferred or not pod.target or pod.target not in reached]

"""
What splits and failovers say about the rest of the file and about themselves.

Owns these rules: weights are 100 together, each name is an upstream, no way leads back to where it came from, and who is to do it (the
gateway or the mesh) can. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from edge.config.document import Data, Document, Loc, dotted, quoted
from edge.config.raw import Section, is_known, items, named, section, text

_WHOLE = 100.0


def check_traffic(document: Document) -> None:
    """Note everything about splits and failovers that does not fit together."""
    upstreams = section(document.data, "upstreams")
    for loc, name, key, given, by_edge in _written(document.data):
        if by_edge:
            _check_by_edge(document, loc, name, key, given, upstreams)
        else:
            _check_by_mesh(document, loc, key, given)
        if key == "split":
            _check_weights(document, loc, given, by_edge=by_edge)
        for listed in ("datacenters", "upstreams"):
            _check_repeated(document, (*loc, listed), items(given, listed))
    _check_twice(document)
    _check_pool_names(document, upstreams)
    _check_cycles(document, upstreams)


def ways_out(data: Data) -> dict[str, dict[str, Loc]]:
    """By upstream: the other upstreams the gateway may send its calls to, each with where that is said."""
    found: dict[str, dict[str, Loc]] = {}
    for loc, name, key, given, by_edge in _written(data):
        if not by_edge:
            continue
        out = found.setdefault(name, {})
        for (_, each), subset in named(given, "subsets") if key == "split" else ():
            if (other := text(subset, "upstream")) and other != name:
                out.setdefault(other, (*loc, "subsets", each, "upstream"))
        for index, named_ in enumerate(items(given, "upstreams") if key == "failover" else ()):
            if is_known(named_):
                out.setdefault(named_, (*loc, "upstreams", index))
    return found


def reached(data: Data, used: set[str]) -> set[str]:
    """These upstreams and those their calls may go to instead."""
    out, found, open_ = ways_out(data), set(used), list(used)
    while open_:
        further = set(out.get(open_.pop(), ())) - found
        found |= further
        open_ += further
    return found


def _written(data: Data) -> Iterator[tuple[Loc, str, str, Section, bool]]:
    """Every split and failover: place, upstream, which of them, what it says, whether the gateway does it."""
    for key in ("split", "failover"):
        for loc, upstream in named(data, "upstreams"):
            if isinstance(upstream.get(key), dict):
                yield (*loc, key), str(loc[-1]), key, section(upstream, key), True
        for loc, service in named(section(data, "mesh"), "services"):
            if isinstance(service.get(key), dict):
                given = section(service, key)
                yield ("mesh", *loc, key), str(loc[-1]), key, given, text(given, "by") == "edge"


def _check_by_mesh(document: Document, loc: Loc, key: str, given: Section) -> None:
    if given.get("sticky") is not None:
        document.add((*loc, "sticky"), "no mesh does that from one split", "write by: edge, or remove it")
    for (_, each), subset in named(given, "subsets"):
        here = (*loc, "subsets", each)
        if subset.get("upstream") is not None:
            document.add((*here, "upstream"), "the mesh does not know it", "write by: edge, or give labels instead")
        elif not section(subset, "labels"):
            document.add(here, 'the key "labels" is missing', "add labels: {version: v2}")
    if items(given, "upstreams"):
        document.add((*loc, "upstreams"), "the mesh does not know them", "write by: edge, or datacenters instead")
    if key == "failover" and not items(given, "datacenters"):
        document.add((*loc, "datacenters"), 'the key "datacenters" is missing', "add datacenters: [dc2]")


def _check_by_edge(document: Document, loc: Loc, name: str, key: str, given: Section, upstreams: Section) -> None:
    consul = section(section(upstreams, name), "consul")
    selects = bool(consul) and text(consul, "dial") != "sidecar"
    for (_, each), subset in named(given, "subsets"):
        here = (*loc, "subsets", each)
        if subset.get("upstream") is not None and section(subset, "labels"):
            document.add((*here, "labels"), "upstream already says which instances", "keep labels or upstream")
        elif section(subset, "labels") and not selects:
            message = (
                f"the gateway finds no labels: upstreams.{name} does not choose among a Consul service's instances"
            )
            document.add((*here, "labels"), message, "name an upstream instead: upstream: NAME")
        elif section(subset, "labels") and consul.get("query") is not None:
            document.add((*here, "labels"), "a prepared query takes no filter", "name a service, or an upstream here")
        _check_known(document, (*here, "upstream"), subset.get("upstream"), upstreams)
    if key == "failover":
        if not items(given, "datacenters") and not items(given, "upstreams"):
            document.add(loc, "says nowhere to go", "add upstreams: [NAME], or datacenters: [dc2]")
        if items(given, "datacenters") and (not selects or consul.get("peer") is not None):
            message = f"upstreams.{name} is no Consul service the gateway could find in another datacenter"
            document.add((*loc, "datacenters"), message, "name upstreams instead")
        for index, other in enumerate(items(given, "upstreams")):
            _check_known(document, (*loc, "upstreams", index), other, upstreams)


def _check_known(document: Document, loc: Loc, other: Data, upstreams: Section) -> None:
    if is_known(other) and other not in upstreams:
        near = get_close_matches(other, list(upstreams), n=1)
        fix = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(upstreams)}"
        document.add(loc, f"{quoted(other)} is no upstream of this file", fix)


def _check_weights(document: Document, loc: Loc, given: Section, *, by_edge: bool) -> None:
    weights = [each.get("weight", 0) for _, each in named(given, "subsets")]
    numbers = [float(weight) for weight in weights if isinstance(weight, int | float) and not isinstance(weight, bool)]
    if not numbers or len(numbers) != len(weights):
        return
    total = sum(numbers)
    if total and abs(total - _WHOLE) > 0.001:
        fix = "make them 100 together" if by_edge else "make them 100 together, or leave all of them out"
        document.add((*loc, "subsets"), f"the weights sum to {total:g}", fix)
    elif not total and by_edge:
        document.add((*loc, "subsets"), "no subset has a weight: there is no split", "give weights, 100 together")


def _check_twice(document: Document) -> None:
    first: dict[tuple[str, str], Loc] = {}
    for loc, name, key, _, by_edge in _written(document.data):
        if first.setdefault((name, key), loc) is not loc:
            message = f"{dotted(first[name, key])} already says that"
            fix = "remove one of them" if by_edge else "let either the gateway or the mesh do it"
            document.add(loc, message, fix)


def _check_pool_names(document: Document, upstreams: Section) -> None:
    """Logs and metrics call a subset `shop/canary`, another datacenter `shop@dc2`."""
    for loc, name, key, given, by_edge in _written(document.data):
        made = [f"{name}/{each}" for each in section(given, "subsets")] if key == "split" else []
        made += [f"{name}@{each}" for each in items(given, "datacenters")] if key == "failover" else []
        for each in made:
            if by_edge and each in upstreams:
                document.add(loc, f"{quoted(each)} is the name of an upstream, too", "rename that upstream")


def _check_cycles(document: Document, upstreams: Section) -> None:
    out = ways_out(document.data)
    told: set[frozenset[str]] = set()
    for start in upstreams:
        path = _cycle(out, start)
        if path and frozenset(path) not in told:
            told.add(frozenset(path))
            loc = out[path[-1]][path[0]]
            document.add(loc, f"leads back to itself: {' -> '.join([*path, path[0]])}", "break the circle")


def _cycle(out: dict[str, dict[str, Loc]], start: str) -> list[str]:
    """The upstreams of a circle through `start`, in order; empty when there is none. Each is looked at once."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop()
        for other in out.get(path[-1], ()):
            if other == start:
                return path
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return []


def _check_repeated(document: Document, loc: Loc, values: list[Data]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            document.add((*loc, index), f"{quoted(value)} is listed twice", "remove one of them")

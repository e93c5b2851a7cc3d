"""
What one part of the configuration says about another: names that refer, addresses that collide, keys that exclude each other.

Owns these rules. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from pydantic_core import PydanticCustomError

from edge.config.address import Address
from edge.config.document import Data, Document, Loc, dotted, quoted
from edge.config.models import Admin
from edge.config.raw import Section, items, listed, named, section, text
from edge.config.traffic_checks import reached
from edge.config.units import Seconds

_SOURCES = ("protos", "descriptors", "reflection")
_METADATA_NAME = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_RESERVED = {"te", "host", "connection", "content-type", "content-length", "transfer-encoding", "upgrade", "user-agent"}
_URI = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.ASCII)


def check_references(document: Document) -> None:
    """Note everything two parts of the file disagree about."""
    _check_api_names(document)
    _check_sources(document)
    _check_upstream_names(document)
    _check_binds(document)
    for loc, upstream in named(document.data, "upstreams"):
        _check_endpoints(document, loc, upstream)
        _check_upstream_tls(document, (*loc, "tls"), section(upstream, "tls"))
        _check_metadata(document, (*loc, "metadata"), section(upstream, "metadata"))
        _check_reconnect(document, (*loc, "reconnect"), section(upstream, "reconnect"))


def _check_api_names(document: Document) -> None:
    first: dict[str, Loc] = {}
    for loc, api in listed(document.data, "apis"):
        name = text(api, "name")
        if name in first:
            document.add(
                (*loc, "name"), f"{quoted(name)} is already {dotted(first[name])}", "give each API its own name"
            )
        elif name:
            first[name] = loc


def _check_sources(document: Document) -> None:
    for loc, api in listed(document.data, "apis"):
        given = [source for source in _SOURCES if api.get(source) not in (None, False)]
        if not given:
            fix = "add protos: {roots: [protos], files: [a/v1/a.proto]}, or descriptors: a.binpb, or reflection: true"
            document.add(loc, "nothing describes this API", fix)
        for extra in given[1:]:
            document.add((*loc, extra), f"{given[0]} already describes this API", f"keep one of {' and '.join(given)}")


def _check_upstream_names(document: Document) -> None:
    known = list(section(document.data, "upstreams"))
    apis = list(listed(document.data, "apis"))
    asked = [((*loc, "upstream"), name) for loc, api in apis if (name := text(api, "upstream"))]
    for loc, name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            fix = f'did you mean "{near[0]}"?' if near else f"add it: upstreams: {{{name}: {{endpoints: [host:port]}}}}"
            document.add(loc, f"{quoted(name)} is no upstream of this file", fix)
    if len(asked) < len(apis):
        return  # an API whose upstream is not known may use any of them
    used = reached(document.data, {name for _, name in asked})
    for name in known:
        if name not in used:
            _unused(document, name, [(loc, other) for loc, other in asked if other not in known])


def _unused(document: Document, name: str, dangling: list[tuple[Loc, str]]) -> None:
    """An upstream nothing uses: most likely the other half of a misspelt reference."""
    near = get_close_matches(name, [other for _, other in dangling], n=1)
    if near:
        loc = next(loc for loc, other in dangling if other == near[0])
        message, fix = (
            f"not used; {dotted(loc)} says {quoted(near[0])}",
            f'rename it to "{near[0]}", or correct {dotted(loc)}',
        )
    else:
        message, fix = "not used by any API", "remove it, or name it in an API's upstream"
    document.add(("upstreams", name), message, fix, warning=True)


def _check_binds(document: Document) -> None:
    taken = list(_admin_bind(document.data))
    for loc, listener in listed(document.data, "listeners"):
        address = _address(listener.get("bind"))
        if address is None:
            continue
        clash = next((where for other, where in taken if _collide(address, other)), None)
        if clash:
            document.add((*loc, "bind"), f"{quoted(str(address))} is already taken by {clash}", "choose another port")
        taken.append((address, f"{dotted(loc)}.bind"))


def _admin_bind(data: Data) -> Iterator[tuple[Address, str]]:
    if isinstance(data, dict) and data.get("admin", {}) is None:
        return
    written = section(data, "admin").get("bind")
    if written is None:
        yield Admin().bind, f"admin.bind, by default {Admin().bind}"
    elif address := _address(written):
        yield address, "admin.bind"


def _collide(one: Address, other: Address) -> bool:
    same_host = one.host == other.host or one.is_wildcard or other.is_wildcard
    return one.port == other.port != 0 and same_host


def _address(value: Data) -> Address | None:
    try:
        return Address.parse(value)
    except PydanticCustomError:
        return None


def _check_endpoints(document: Document, loc: Loc, upstream: Section) -> None:
    seen: set[Address] = set()
    for index, value in enumerate(items(upstream, "endpoints")):
        address, here = _address(value), (*loc, "endpoints", index)
        if address is None:
            continue
        if not address.host or not address.port:
            lack = "host" if not address.host else "port"
            document.add(here, f"{quoted(value)} has no {lack} to dial", "write host:port, as in 127.0.0.1:50051")
        elif address in seen:
            document.add(here, f"{quoted(value)} is listed twice", "remove one of them", warning=True)
        seen.add(address)


def _check_upstream_tls(document: Document, loc: Loc, tls: Section) -> None:
    for one, other in (("cert", "key"), ("key", "cert")):
        if tls.get(one) is not None and tls.get(other) is None:
            message = f"{quoted(tls[one])} is given without {other}"
            document.add((*loc, one), message, f"add {other}, or remove {one}")
    uri = text(tls, "uri_san")
    if uri and not _URI.fullmatch(uri):
        document.add(
            (*loc, "uri_san"), f"{quoted(uri)} is no URI", "write it as in spiffe://example.org/ns/default/sa/books"
        )


def _check_metadata(document: Document, loc: Loc, metadata: Section) -> None:
    for name in metadata:
        if name.startswith("grpc-") or name in _RESERVED:
            document.add((*loc, name), f"{quoted(name)} is set by gRPC itself", "remove it")
        elif not _METADATA_NAME.fullmatch(name):
            fix = f'write "{name.lower()}"' if _METADATA_NAME.fullmatch(name.lower()) else "use a-z, 0-9, - _ and ."
            document.add((*loc, name), f"{quoted(name)} is no metadata name", fix)


def _check_reconnect(document: Document, loc: Loc, reconnect: Section) -> None:
    try:
        initial, most = (Seconds.parse(reconnect[key]) for key in ("initial", "max"))
    except (KeyError, PydanticCustomError):
        return
    if initial > most:
        document.add((*loc, "initial"), f"{quoted(str(initial))} is more than max, {most}", "lower it, or raise max")

"""
What an upstream's section says about where its service is: one source, and what goes with each.

Owns these rules, those of `mesh:` among them: a sidecar balances, retries and encrypts, so what would do the same a second time, or
would blind it, is refused. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from edge.config.address import Address
from edge.config.document import Data, Document, Loc, quoted
from edge.config.raw import Section, items, named, text

_SOURCES = ("endpoints", "consul", "kubernetes")
_LOCAL = frozenset(("localhost", "localhost."))


def check_sources(document: Document) -> None:
    """Note every upstream whose place is not told, or told in ways that do not go together."""
    for loc, upstream in named(document.data, "upstreams"):
        _check_source(document, loc, upstream)
        _check_dns(document, loc, upstream)
        if upstream.get("mesh") in {"linkerd", "istio"}:
            _check_sidecar(document, loc, upstream, str(upstream["mesh"]))


def _check_source(document: Document, loc: Loc, upstream: Section) -> None:
    given = [key for key in _SOURCES if upstream.get(key) is not None]
    if not given:
        fix = "add endpoints: [127.0.0.1:50051], consul: {service: NAME} or kubernetes: {service: NAME}"
        document.add((*loc, "endpoints"), 'the key "endpoints" is missing', fix)
    elif len(given) > 1:
        said = "endpoints already say" if given[0] == "endpoints" else "consul already says"
        document.add((*loc, given[1]), f"{said} where the service is", f"keep {given[0]} or {given[1]}")
    elif upstream.get("endpoints") == []:
        document.add((*loc, "endpoints"), "it is empty", "write [127.0.0.1:50051]")


def _check_dns(document: Document, loc: Loc, upstream: Section) -> None:
    if upstream.get("dns") != "strict":
        if upstream.get("dns_refresh") is not None:
            fix = "write dns: strict, or remove it"
            document.add((*loc, "dns_refresh"), "a name is looked up when it is dialled, not at intervals", fix)
        return
    names = {found.host for value in items(upstream, "endpoints") if (found := _address(value)) and not found.is_ip}
    if upstream.get("endpoints") is None:
        document.add((*loc, "dns"), "there are no endpoints to look up", "remove it, or write endpoints")
    elif not names:
        document.add((*loc, "dns"), "no endpoint is a name", "write endpoints: [NAME.NAMESPACE.svc.cluster.local:PORT]")
    elif len(names) > 1 and text(upstream, "authority") is None:
        message = "several names, and nothing says which one an address is called by"
        document.add((*loc, "dns"), message, "add authority: NAME:PORT, or make each an upstream")


def _check_sidecar(document: Document, loc: Loc, upstream: Section, mesh: str) -> None:
    proxy = f"mesh: {mesh}"
    for key in ("consul", "kubernetes"):
        if upstream.get(key) is not None:
            message = f"{proxy} leaves the choice of a pod to the proxy, and {key} makes it here"
            document.add((*loc, key), message, _name_fix(mesh, key))
    if upstream.get("tls") is not None:
        message = f"{proxy} has the proxy do TLS; it could not read, route or retry what is encrypted already"
        document.add((*loc, "tls"), message, "remove tls, or mesh")
    if upstream.get("dns") == "strict":
        message = f"{proxy} balances over the Service's pods, and dns: strict would do so before it"
        document.add((*loc, "dns"), message, "remove dns, or mesh")
    endpoints = items(upstream, "endpoints")
    if len(endpoints) > 1:
        message = f"{proxy} takes one Service, over whose pods the proxy balances"
        document.add((*loc, "endpoints", 1), message, "keep one endpoint, or make each an upstream")
    for index, value in enumerate(endpoints[:1]):
        address = _address(value)
        if address is not None and address.host and (fault := _name_fault(address, mesh)):
            fix = f"write SERVICE.NAMESPACE.svc.cluster.local:{address.port}, or remove mesh"
            document.add((*loc, "endpoints", index), f"{quoted(value)} {fault}", fix)


def _name_fix(mesh: str, key: str) -> str:
    return f"write endpoints: [SERVICE.NAMESPACE.svc.cluster.local:PORT] instead, or remove mesh: {mesh} and keep {key}"


def _name_fault(address: Address, mesh: str) -> str | None:
    """Why the proxy would not know the service by this host."""
    if address.is_ip or address.host in _LOCAL:
        known = "by the Service's name in :authority" if mesh == "istio" else "as a Service"
        return f"is no Service's name: the proxy finds routes {known}"
    if "." not in address.host.rstrip("."):
        return "has no namespace: what it means depends on who asks"
    return None


def _address(value: Data) -> Address | None:
    try:
        return Address.parse(value)
    except PydanticCustomError:
        return None

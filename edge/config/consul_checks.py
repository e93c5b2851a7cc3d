"""
What the parts of a configuration say about Consul together: an upstream's section, the agent's, the registrations.

Owns these rules. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

from edge.config.document import Document, Loc, dotted, quoted
from edge.config.raw import Section, items, listed, named, section, text

_KINDS = ("grpc", "ttl", "http", "tcp")
_SELECTORS = ("tags", "subset", "filter", "near", "only_passing", "datacenter", "namespace", "partition", "peer")


def check_consul(document: Document) -> None:
    """Note everything about Consul that does not fit together."""
    consul = section(document.data, "consul")
    _check_agent(document, consul)
    native = [(loc, each) for loc, each in listed(document.data, "listeners") if each.get("mesh") not in (None, False)]
    for loc, listener in native:
        _check_listener(document, loc, listener, consul)
    if native and text(section(consul, "register"), "connect") == "sidecar":
        message, fix = (
            f"{dotted(native[0][0])} takes the mesh's calls itself",
            "write connect: native, or remove mesh there",
        )
        document.add(("consul", "register", "connect"), message, fix)
    for loc, upstream in named(document.data, "upstreams"):
        if isinstance(upstream.get("consul"), dict):
            _check_upstream(document, (*loc, "consul"), section(upstream, "consul"), upstream, consul)


def _check_listener(document: Document, loc: Loc, listener: Section, consul: Section) -> None:
    """One that serves the mesh has its certificate from there, and is a native service of it."""
    if not consul and isinstance(document.data, dict) and "consul" not in document.data:
        fix = "add consul: {address: http://127.0.0.1:8500, service: edge}"
        document.add((*loc, "mesh"), "the file names no Consul agent", fix)
    elif consul.get("service") is None:
        message = "it presents a certificate, and consul.service does not say whose"
        document.add((*loc, "mesh"), message, "add service: edge under consul")
    if listener.get("tls") is not None:
        message = "mesh leaves no choice of TLS: the certificate and whom to trust are the mesh's"
        document.add((*loc, "tls"), message, "keep mesh or tls; another listener may have the other")


def _check_agent(document: Document, consul: Section) -> None:
    if consul.get("register") is not None and not text(consul, "service"):
        document.add(("consul", "register"), "there is no name to register", "add service: edge beside it")
    address = text(consul, "address")
    if isinstance(consul.get("tls"), dict) and not (address or "").startswith("https://"):
        document.add(("consul", "tls"), "the address is not https", "write address: https://host:8501, or remove tls")
    _check_checks(document, ("consul", "register"), section(consul, "register"))
    seen: dict[str, int] = {}
    for index, service in enumerate(items(consul, "services")):
        if not isinstance(service, dict):
            continue
        loc: Loc = ("consul", "services", index)
        _check_checks(document, loc, service)
        identity = text(service, "id") or text(service, "name")
        if identity and seen.setdefault(identity, index) != index:
            message = f"{quoted(identity)} is already consul.services[{seen[identity]}]"
            document.add(loc, message, "give each instance its own id")


def _check_checks(document: Document, loc: Loc, registered: Section) -> None:
    for index, check in enumerate(items(registered, "checks")):
        if not isinstance(check, dict):
            continue
        given = [kind for kind in _KINDS if check.get(kind) is not None]
        here = (*loc, "checks", index)
        if not given:
            document.add(here, "says nothing to check", "add grpc: host:port, ttl: 15s, http: URL or tcp: host:port")
        for extra in given[1:]:
            document.add((*here, extra), f"{given[0]} is this check already", "make it a check of its own")
    if registered.get("sidecar_port") is not None and registered.get("connect") != "sidecar":
        document.add((*loc, "sidecar_port"), "there is no sidecar", "add connect: sidecar, or remove it")


def _check_upstream(document: Document, loc: Loc, given: Section, upstream: Section, consul: Section) -> None:
    dial = text(given, "dial") or "native"
    if not consul and isinstance(document.data, dict) and "consul" not in document.data:
        document.add(
            loc, "the file names no Consul agent", "add consul: {address: http://127.0.0.1:8500, service: edge}"
        )
    elif dial in {"native", "mesh-gateway"} and consul.get("service") is None:
        document.add(loc, f"dial: {dial} presents a certificate, and consul.service does not say whose", "add it")
    if given.get("service") is None and given.get("query") is None:
        document.add(loc, "says neither service nor query", "add service: NAME")
    elif given.get("service") is not None and given.get("query") is not None:
        document.add((*loc, "query"), "service already says which instances", "keep service or query")
    if upstream.get("tls") is not None and dial != "plain":
        fix = "remove tls, or write dial: plain"
        document.add((*loc[:-1], "tls"), f"dial: {dial} leaves no choice of TLS: the mesh says whom to trust", fix)
    _check_dial(document, loc, given, dial)
    _check_selectors(document, loc, given)


def _check_dial(document: Document, loc: Loc, given: Section, dial: str) -> None:
    if dial == "sidecar":
        if given.get("listener") is None:
            document.add(
                loc, "dial: sidecar needs the sidecar's listener for this upstream", "add listener: 127.0.0.1:9191"
            )
        for key in _SELECTORS:
            if given.get(key) not in (None, False, []):
                fix = "set it in the sidecar's registration, and remove it here"
                document.add((*loc, key), "the sidecar chooses the instance, not the gateway", fix)
    elif given.get("listener") is not None:
        document.add((*loc, "listener"), f"dial: {dial} does not use our sidecar", "write dial: sidecar, or remove it")
    if dial == "mesh-gateway" and not any(given.get(key) for key in ("datacenter", "peer", "partition")):
        fix = "add datacenter: or peer:, or write dial: native"
        document.add(loc, "dial: mesh-gateway leads elsewhere, and nothing says where", fix)
    if dial == "mesh-gateway" and given.get("query") is not None:
        document.add((*loc, "query"), "a prepared query does not lead through mesh gateways", "name the service")


def _check_selectors(document: Document, loc: Loc, given: Section) -> None:
    if given.get("peer") is not None and given.get("datacenter") is not None:
        document.add((*loc, "datacenter"), "a peer's service has no datacenter here", "keep peer or datacenter")
    for key, other in (("subset", "query"), ("subset", "peer"), ("tags", "query"), ("filter", "query")):
        if given.get(key) not in (None, []) and given.get(other) is not None:
            document.add((*loc, key), f"does not go together with {other}", f"keep {key} or {other}")
    if given.get("near") is not None and given.get("query") is None:
        fix = "remove it, or name a query"
        document.add((*loc, "near"), "only sorts, and the gateway balances over all instances", fix)

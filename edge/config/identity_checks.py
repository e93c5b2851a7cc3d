"""
What the parts of a configuration say about identities together: the source of ours, and upstreams known by SPIFFE ID.

Owns these rules. Pure: reads the document's data, notes problems in it.
"""

from __future__ import annotations

from edge.config.document import Document, Loc
from edge.config.raw import Section, named, section

_OWN = ("ca", "cert", "key", "uri_san")
"""What `spiffe_ids` takes the place of."""


def check_identity(document: Document) -> None:
    """Note everything about identities that does not fit together."""
    data = document.data if isinstance(document.data, dict) else {}
    if isinstance(data.get("identity"), dict):
        _check_source(document, section(data, "identity"))
    known = data.get("identity") is not None or section(data, "consul").get("service") is not None
    for loc, upstream in named(data, "upstreams"):
        tls = section(upstream, "tls")
        if tls.get("spiffe_ids") is None:
            continue
        _check_peers(document, (*loc, "tls"), tls, known=known)
        if upstream.get("consul") is not None:
            message = "Consul says who answers at each instance"
            document.add((*loc, "tls", "spiffe_ids"), message, "remove it, and write dial: native")


def _check_source(document: Document, identity: Section) -> None:
    given = [key for key in ("files", "workload_api") if identity.get(key) is not None]
    if not given:
        fix = "add files: {cert: …, key: …, trust_bundle: …}, or workload_api: {}"
        document.add(("identity",), "nothing says where our certificate comes from", fix)
    for extra in given[1:]:
        document.add(
            ("identity", extra), f"our certificate comes from {given[0]} already", f"keep {given[0]} or {extra}"
        )


def _check_peers(document: Document, loc: Loc, tls: Section, *, known: bool) -> None:
    if tls.get("spiffe_ids") == []:
        document.add((*loc, "spiffe_ids"), "it is empty: nobody could answer", "name the service's SPIFFE ID")
    for key in _OWN:
        if tls.get(key) is not None:
            message = "spiffe_ids has both ends prove who they are by the gateway's own identity and its trust bundle"
            document.add((*loc, key), message, f"remove {key}, or spiffe_ids")
    if not known:
        fix = "add identity: {files: {cert: …, key: …, trust_bundle: …}}, or identity: {workload_api: {}}"
        document.add((*loc, "spiffe_ids"), "the gateway presents a certificate there, and nothing says whose", fix)

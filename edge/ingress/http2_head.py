"""
A header block to a Head, or to the refusal of it.

Owns the limits on a request's head, held against what was sent: crumbs, copies and dropped fields included. A head that is refused
is still told as far as it can be, for the log. Source: RFC 9113 section 8.3; reliability.md A4, A8.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from edge.core.http1_head import FlawKind, HeadFlaw
from edge.core.http2_head import FieldSizes, Http2Head, examine, sizes
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import Head, Header
from edge.outcome import Fault, Refusal

_FAULT_OF_FLAW = {
    FlawKind.MALFORMED: Fault.MALFORMED_REQUEST,
    FlawKind.VERSION: Fault.HTTP_VERSION_UNSUPPORTED,
    FlawKind.EXPECTATION: Fault.EXPECTATION_FAILED,
    FlawKind.NO_ROUTE: Fault.ROUTE_NOT_FOUND,
}
VERSION = "2"


class Origin(NamedTuple):
    """Where a connection's requests come from."""

    peer: str
    secure: bool


class ReadHead(NamedTuple):
    """`refusal` is None for a head that may be served."""

    head: Head
    expects_continue: bool = False
    refusal: Refusal | None = None


def read_head(fields: Sequence[Header], origin: Origin, started: float, limits: Http1Limits, *, end: bool) -> ReadHead:
    """What a well-formed header block says; `end` when no body follows."""
    found, facts = _read(tuple(fields))
    refusal = _oversize(found, limits)
    if refusal is not None:
        return _unserved(fields, origin, started, refusal)
    if isinstance(facts, HeadFlaw):
        return _unserved(fields, origin, started, Refusal(_FAULT_OF_FLAW[facts.kind], facts.detail))
    head = Head(
        facts.method,
        facts.path,
        facts.query,
        VERSION,
        facts.headers,
        origin.peer,
        origin.secure,
        started,
        not end,
        facts.content_length,
        facts.first,
        facts.protocol,
    )
    return ReadHead(head, facts.expect_continue and not end)


@lru_cache(maxsize=64)  # clients say the same heads over and over; one that does not makes others be read again
def _read(fields: tuple[Header, ...]) -> tuple[FieldSizes, Http2Head | HeadFlaw]:
    return sizes(fields), examine(fields)


def _oversize(found: FieldSizes, limits: Http1Limits) -> Refusal | None:
    if found.target_bytes > limits.max_uri_bytes:
        return Refusal(Fault.URI_TOO_LONG)
    if found.header_bytes > limits.max_header_bytes or found.fields > limits.max_header_count:
        return Refusal(Fault.HEADERS_TOO_LARGE)
    return None


def _unserved(fields: Sequence[Header], origin: Origin, started: float, refusal: Refusal) -> ReadHead:
    pseudo = {name: value for name, value in fields if name[:1] == b":"}
    path, _, query = pseudo.get(b":path", b"").decode("latin-1").partition("?")
    method = pseudo.get(b":method", b"").decode("latin-1")
    headers = [(name, value) for name, value in fields if name[:1] != b":"]
    return ReadHead(Head(method, path, query, VERSION, headers, origin.peer, origin.secure, started), refusal=refusal)

"""
What a connection makes of its reader's findings: a Refusal, and whether the rest of a body is worth reading.

Owns the translation; the rules are the reader's (`edge.wire.http1`), the words the service's.
"""

from __future__ import annotations

from edge.core.http1_head import FlawKind, HeadFlaw
from edge.ingress.http1_limits import DISCARD_BYTES
from edge.ingress.service import over_limit
from edge.outcome import Fault, Refusal
from edge.wire.http1 import RequestReader

FAULT_OF_FLAW = {
    FlawKind.MALFORMED: Fault.MALFORMED_REQUEST,
    FlawKind.VERSION: Fault.HTTP_VERSION_UNSUPPORTED,
    FlawKind.EXPECTATION: Fault.EXPECTATION_FAILED,
    FlawKind.NO_ROUTE: Fault.ROUTE_NOT_FOUND,
    FlawKind.URI_TOO_LONG: Fault.URI_TOO_LONG,
    FlawKind.HEADERS_TOO_LARGE: Fault.HEADERS_TOO_LARGE,
    FlawKind.BODY_TOO_LARGE: Fault.BODY_TOO_LARGE,
}
"""Total: each kind leads to one fault."""


def refusal_of(flaw: HeadFlaw, reader: RequestReader) -> Refusal:
    """Why the connection ends."""
    if flaw.kind is FlawKind.BODY_TOO_LARGE:
        return over_limit(reader.max_body_bytes or 0)
    return Refusal(FAULT_OF_FLAW[flaw.kind], flaw.detail)


def rest_may_be_large(reader: RequestReader) -> bool:
    """Whether more of the body may be to come than is worth reading for the connection's sake."""
    if reader.complete or not reader.head_complete:
        return False
    length = reader.content_length
    return length is None or length > DISCARD_BYTES

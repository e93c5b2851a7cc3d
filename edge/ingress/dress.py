"""
The last touches to an answer for one particular client: request id, 304 for a matching ETag, compression.

Owns what depends on both the answer and the request's own header fields, after the call's outcome is fixed.
Source: RFC 9110 sections 8.8.3, 12.5.3, 13.1.2; Vary of section 12.5.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPMethod

from edge.core.content_coding import IDENTITY, compressible, negotiate
from edge.core.content_coding import compress as coded
from edge.ingress.service import Answer, Head, Header
from edge.outcome import NOT_MODIFIED, OK

_CONDITIONAL = frozenset((HTTPMethod.GET, HTTPMethod.HEAD))
_VARY = (b"vary", b"accept-encoding")


def dressed(answer: Answer, head: Head, request_id: str, *, compress: bool) -> Answer:
    """The answer as this client gets it."""
    headers = [*answer.headers, (b"x-request-id", request_id.encode("ascii"))]
    body = answer.body
    wanted = head.first.get(b"if-none-match")
    if wanted and answer.status == OK and head.method in _CONDITIONAL and _matches(wanted.decode("latin-1"), answer):
        kept = [(name, value) for name, value in headers if name != b"content-type"]
        return Answer(NOT_MODIFIED, [*kept, _VARY] if compress else kept, b"", answer.close)
    if compress:
        body = _compressed(body, head, headers)
    return Answer(answer.status, headers, body, answer.close)


def _compressed(body: bytes, head: Head, headers: list[Header]) -> bytes:
    """The body in the coding the client prefers; `headers` are made to say so. A client that refuses all gets it as it is."""
    content_type = _value(headers, b"content-type")
    if not compressible(content_type):
        return body
    headers.append(_VARY)
    accepted = head.first.get(b"accept-encoding")
    coding = negotiate(accepted.decode("latin-1"), len(body), content_type) if accepted else None
    if coding is None or coding == IDENTITY:
        return body
    headers.append((b"content-encoding", coding.encode("ascii")))
    # A strong tag promises equal bytes, and other codings have others: it becomes a weak one, as nginx and Envoy do.
    headers[:] = [(name, _weak(value)) if name == b"etag" else (name, value) for name, value in headers]
    return coded(coding, body)


def _weak(tag: bytes) -> bytes:
    return tag if tag.startswith(b"W/") else b"W/" + tag


def _matches(wanted: str, answer: Answer) -> bool:
    """Whether If-None-Match names the answer's ETag; weak comparison, as RFC 9110 13.1.2 says for GET."""
    tag = _value(answer.headers, b"etag")
    if not tag:
        return False
    return wanted.strip() == "*" or tag.removeprefix("W/") in {t.strip().removeprefix("W/") for t in wanted.split(",")}


def _value(headers: Sequence[Header], name: bytes) -> str:
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return ""

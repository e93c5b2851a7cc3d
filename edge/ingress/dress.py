"""
The last touches to an answer for one particular client: request id, 304 for a matching ETag, compression.

Owns what depends on both the answer and the request's own header fields, after the call's outcome is fixed.
Source: RFC 9110 sections 8.8.3, 12.5.3, 13.1.2; Vary of section 12.5.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPMethod

from edge.core.content_coding import IDENTITY, MIN_COMPRESSED_BYTES, compressible, negotiate
from edge.core.content_coding import compress as coded
from edge.core.grpc_frame import Inflated
from edge.core.message_coding import GZIP
from edge.ingress.service import Answer, Head, Header
from edge.outcome import NOT_MODIFIED, OK

_CONDITIONAL = frozenset((HTTPMethod.GET, HTTPMethod.HEAD))
_VARY = (b"vary", b"accept-encoding")


def dressed(answer: Answer, head: Head, id_field: Header, *, compress: bool) -> Answer:
    """The answer as this client gets it; `id_field` tells it the request id. `compress`: what can be compressed may be."""
    headers = [*answer.headers]
    compress = compress and compressible(_value(headers, b"content-type"))
    return dress(answer.status, headers, answer.body, head, id_field, compress=compress, close=answer.close)


def dress(
    status: int,
    headers: list[Header],
    body: bytes,
    head: Head,
    id_field: Header,
    *,
    compress: bool,
    close: bool = False,
) -> Answer:
    """`dressed`, of an answer that is not made yet; `headers` are added to. `compress`: the body can be compressed, and may be."""
    headers.append(id_field)
    asked = head.first
    wanted = asked.get(b"if-none-match")
    if wanted and status == OK and head.method in _CONDITIONAL and _matches(wanted.decode("latin-1"), headers):
        kept = [(name, value) for name, value in headers if name != b"content-type"]
        return Answer(NOT_MODIFIED, [*kept, _VARY] if compress else kept, b"", close)
    if compress:
        if b"accept-encoding" in asked:
            body = _compressed(body, head, headers)
        else:
            headers.append(_VARY)
    return _answer(Answer, (status, headers, body, close, ()))


_answer = tuple.__new__
"""Makes an Answer without the call of Python that a named tuple's own `__new__` is: one is made for each request."""


def _compressed(body: bytes, head: Head, headers: list[Header]) -> bytes:
    """The body in the coding the client prefers; `headers` are made to say so. A client that refuses all gets it as it is."""
    accepted = head.get(b"accept-encoding")
    if not accepted:
        say_coded(headers, IDENTITY)
        return body
    content_type = _value(headers, b"content-type")
    if isinstance(body, Inflated) and negotiate(accepted, MIN_COMPRESSED_BYTES, content_type, (GZIP,)) == GZIP:
        say_coded(headers, GZIP)  # the service has done the work, whatever we would prefer
        return body.gzipped
    coding = negotiate(accepted, len(body), content_type) or IDENTITY
    say_coded(headers, coding)
    return coded(coding, body)


def say_coded(headers: list[Header], coding: str) -> None:
    """Make the fields of an answer say that its body is in the coding the client prefers, be it none."""
    headers.append(_VARY)
    if coding == IDENTITY:
        return
    headers.append((b"content-encoding", coding.encode("ascii")))
    # A strong tag promises equal bytes, and other codings have others: it becomes a weak one, as nginx and Envoy do.
    headers[:] = [(name, _weak(value)) if name == b"etag" else (name, value) for name, value in headers]


def _weak(tag: bytes) -> bytes:
    return tag if tag.startswith(b"W/") else b"W/" + tag


def _matches(wanted: str, headers: Sequence[Header]) -> bool:
    """Whether If-None-Match names the answer's ETag; weak comparison, as RFC 9110 13.1.2 says for GET."""
    tag = _value(headers, b"etag")
    if not tag:
        return False
    return wanted.strip() == "*" or tag.removeprefix("W/") in {t.strip().removeprefix("W/") for t in wanted.split(",")}


def _value(headers: Sequence[Header], name: bytes) -> str:
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return ""

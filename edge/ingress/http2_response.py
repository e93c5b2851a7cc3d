"""
Answers to header lists: the status, the fields the protocol owns, and the proof that every field may leave.

Owns what differs from HTTP/1.1: no field about a connection, names in lower case, a length only where the dialect gave none and
nothing follows the body. Source: RFC 9113 sections 8.2.1, 8.2.2 and 8.3.2; RFC 9110 6.6.1, 8.6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

from edge.ingress.http1_response import BODILESS, DATE
from edge.ingress.service import Answer, Header
from edge.wire.http1 import UnsafeFieldError

CONTINUE: list[Header] = [(b":status", b"%d" % HTTPStatus.CONTINUE.value)]
"""The interim answer that asks for the body."""

_STATUS = {status.value: b"%d" % status.value for status in HTTPStatus}
_OF_CONNECTION = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
_MAX_SAFE_NAMES = 1024  # services choose names too: one that fills it has its own looked at each time
_MAX_SAFE_NAME_BYTES = 128
_safe_names: set[bytes] = set()
"""Names of fields that were let out."""

_UNSAFE = re.compile(rb"[\0\r\n]").search
_NUL, _LF, _CR = b"\0\n\r"
_UNSAFE_NAME = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9a-z]|\A\Z").search


def head(status: int, headers: Sequence[Header], length: int | None = None) -> list[Header]:
    """A response head. Raises UnsafeFieldError."""
    fields = [(b":status", _STATUS.get(status) or b"%d" % status)]
    fields += safe(headers)
    if length is not None and status not in BODILESS:
        fields.append((b"content-length", b"%d" % length))
    fields.append((b"date", DATE.value()))
    return fields


def safe(headers: Sequence[Header]) -> list[Header]:
    """The fields without those about a connection. Raises UnsafeFieldError for one that could not be told from something else."""
    for name, value in headers:  # most have names seen before: as in `header_rules.trailers_fault`
        if name not in _safe_names or _NUL in value or _LF in value or _CR in value:
            break
    else:
        return [*headers]
    for name, value in headers:
        if _UNSAFE_NAME(name) or _UNSAFE(value):
            raise UnsafeFieldError(f"a response field {name!r} is not a field")
    kept = [field for field in headers if field[0] not in _OF_CONNECTION]
    if len(_safe_names) < _MAX_SAFE_NAMES:
        _safe_names.update(name for name, _ in kept if len(name) <= _MAX_SAFE_NAME_BYTES)
    return kept


def whole(answer: Answer, *, head_only: bool) -> tuple[list[Header], bytes, list[Header]]:
    """Head, body and trailers of a whole answer. Raises UnsafeFieldError."""
    trailers = safe(answer.trailers)
    body = b"" if head_only or answer.status in BODILESS else answer.body
    fields = head(answer.status, answer.headers, None if trailers else len(answer.body))
    return fields, body, trailers

"""
What makes an HTTP/2 header block malformed.

Owns the judgement on one block: a fault is a text for the log, and costs the stream, never the connection, so that one bad
answer does not end the calls beside it. Requests are held to the letter; of responses, white space around a value is let
pass, since services send it in grpc-message and proxies before us accept it. Source: RFC 9113 sections 8.2 and 8.3, RFC 8441 section 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Header = tuple[bytes, bytes]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_BAD_VALUE = re.compile(rb"[\0\r\n]").search
_NUL, _LF, _CR = b"\0\n\r"
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+\-.]*").fullmatch

_CONNECTION = frozenset((b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"))
_REQUEST_PSEUDO = frozenset((b":method", b":scheme", b":path", b":authority"))
_CONNECT_PSEUDO = _REQUEST_PSEUDO | {b":protocol"}
_RESPONSE_PSEUDO = frozenset((b":status",))
_NO_PSEUDO: frozenset[bytes] = frozenset()
_SPACE = (b" ", b"\t")

_MAX_SOUND_NAMES = 1024  # a peer that fills it has its names, and new ones of others, looked at each time
_MAX_SOUND_NAME_BYTES = 128  # what a client can make us hold is small
_sound_names: set[bytes] = set()
"""Names found in order outside pseudo-fields. What was right once is right for ever."""


def response_fault(headers: Iterable[Header]) -> str | None:
    """What is wrong with a response head, or None."""
    pseudo: dict[bytes, bytes] = {}
    fault = _fields_fault(headers, _RESPONSE_PSEUDO, pseudo)
    if fault is not None:
        return fault
    status = pseudo.get(b":status", b"")
    return None if len(status) == 3 and status.isdigit() else "no :status of three digits"


def trailers_fault(headers: Sequence[Header]) -> str | None:
    """What is wrong with trailers, or with metadata, or None."""
    # Most fields have names seen before. Three searches for one octet, each a memchr, cost a fraction of one by a pattern.
    for name, value in headers:
        if name not in _sound_names or _NUL in value or _LF in value or _CR in value:
            break
    else:
        return None
    fault = _fields_fault(headers, _NO_PSEUDO, {})
    if fault is None and len(_sound_names) < _MAX_SOUND_NAMES:
        _sound_names.update(name for name, _ in headers if len(name) <= _MAX_SOUND_NAME_BYTES)
    return fault


def head_fault(headers: Sequence[Header]) -> str | None:
    """What makes a request head of our own one that must not be sent, or None; who made it knows what its pseudo-fields are to say."""
    regular = next((at for at, (name, _) in enumerate(headers) if name[:1] != b":"), len(headers))
    return _fields_fault(headers[:regular], _CONNECT_PSEUDO, {}) or trailers_fault(headers[regular:])


def request_fault(headers: Iterable[Header], *, connect_protocol: bool = False) -> str | None:
    """What is wrong with a request head, or None. `connect_protocol`: a CONNECT may name the protocol it is for."""
    pseudo: dict[bytes, bytes] = {}
    fields = list(headers)
    allowed = _CONNECT_PSEUDO if connect_protocol else _REQUEST_PSEUDO
    fault = _fields_fault(fields, allowed, pseudo) or _request_fields_fault(fields, pseudo.get(b":authority"))
    if fault is not None:
        return fault
    method = pseudo.get(b":method", b"")
    if _METHOD(method) is None:
        return "no valid :method"
    if b":protocol" in pseudo:
        if method != b"CONNECT" or b":authority" not in pseudo:
            return ":protocol goes with CONNECT and :authority"
    elif method == b"CONNECT":
        return None if set(pseudo) == {b":method", b":authority"} else "CONNECT takes :method and :authority alone"
    return _target_fault(method, pseudo)


def _fields_fault(headers: Iterable[Header], allowed: frozenset[bytes], pseudo: dict[bytes, bytes]) -> str | None:
    """The rules every block shares; pseudo-fields are collected into `pseudo`."""
    regular = False
    for name, value in headers:
        if name[:1] == b":":
            if name not in allowed or name in pseudo or regular:
                return f"the pseudo-field {name!r} is unknown, repeated or out of place"
            pseudo[name] = value
        else:
            regular = True
            if _NAME(name) is None or name in _CONNECTION:
                return f"the field name {name!r} is not allowed"
        if _BAD_VALUE(value) is not None:
            return f"the value of {name!r} has a NUL, CR or LF"
    return None


def _request_fields_fault(headers: Iterable[Header], authority: bytes | None) -> str | None:
    for name, value in headers:
        if value[:1] in _SPACE or value[-1:] in _SPACE:
            return f"the value of {name!r} begins or ends with white space"
        if name == b"te" and value.lower() != b"trailers":
            return "te may only say trailers"
        if name == b"host" and authority is not None and value.lower() != authority.lower():
            return "host differs from :authority"
    return None


def _target_fault(method: bytes, pseudo: dict[bytes, bytes]) -> str | None:
    if _SCHEME(pseudo.get(b":scheme", b"")) is None:
        return "no valid :scheme"
    path = pseudo.get(b":path", b"")
    if not path.startswith(b"/") and not (path == b"*" and method == b"OPTIONS"):
        return "no :path that begins with a slash"
    return None

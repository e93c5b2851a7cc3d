"""
A Connect call in a query string, for methods without side effects.

Owns the reading of its parameters: each at most once, the message percent-encoded or base64. Others are no part of the call (caches
are told apart by them) and are not looked at. Source: https://connectrpc.com/docs/protocol (Unary-Get-Request).
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_PARAMETERS = frozenset(("message", "encoding", "base64", "compression", "connect"))
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9_-]").search
_MARK = re.compile(r"(^|&)connect=v1(&|$)").search


class MalformedGetError(ValueError):
    """The query is no Connect call; the message says why."""


class GetCall(NamedTuple):
    """What a query says: the codec's name (`proto`, `json`), the message in it, and how that is compressed."""

    encoding: str
    message: bytes
    compression: str


def marked(query: str) -> bool:
    """Whether a query declares itself a Connect call."""
    return "connect=v1" in query and _MARK(query) is not None


def parse_get(query: str) -> GetCall:
    """The call in a query. Raises MalformedGetError."""
    given: dict[str, bytes] = {}
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if name in given:
            raise MalformedGetError(f"the parameter {name} is given twice")
        if name in _PARAMETERS:
            given[name] = unquote_to_bytes(value.replace("+", " "))
    for name in ("encoding", "message"):
        if name not in given:
            raise MalformedGetError(f"the parameter {name} is missing")
    message = given["message"]
    if given.get("base64") == b"1":
        message = _from_base64(message)
    return GetCall(_text(given["encoding"]), message, _text(given.get("compression", b"")))


def _from_base64(text: bytes) -> bytes:
    """URL-safe base64, padded or not."""
    text = text.rstrip(b"=")
    try:
        if _NOT_BASE64(text):
            raise binascii.Error("a character that is none of its alphabet")
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error as error:
        raise MalformedGetError(f"the message is not URL-safe base64: {error}") from None


def _text(value: bytes) -> str:
    return value.decode("latin-1")

"""
gRPC status codes and the text forms of status fields on the wire.

Owns: the sixteen codes and their names, percent-encoding of `grpc-message`, padding of `grpc-status-details-bin`.
Source: gRPC over HTTP/2, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Responses).
"""

from __future__ import annotations

import base64
import binascii
from enum import IntEnum
from urllib.parse import unquote_to_bytes


class Code(IntEnum):
    """A canonical gRPC status code (google.rpc.Code)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# Printable ASCII except "%" travels as itself (PROTOCOL-HTTP2.md, Percent-Byte-Unencoded).
_PLAIN = frozenset(range(0x20, 0x7F)) - {0x25}


def parse_code(text: bytes) -> int:
    """
    The code in a `grpc-status` value; what is not a small decimal number counts as UNKNOWN, as grpc-go has it.

    Codes above 16 are kept: a newer service may use them, and the HTTP mapping treats them as 500.
    """
    if text.isdigit() and len(text) <= 3:
        return int(text)
    return Code.UNKNOWN


def decode_message(text: bytes) -> str:
    """The text of a `grpc-message` value: percent-decoded, invalid escapes kept as they are, invalid UTF-8 replaced."""
    return unquote_to_bytes(text).decode("utf-8", "replace")


def encode_message(text: str) -> bytes:
    """A `grpc-message` value for `text`; no byte outside printable ASCII survives, so no CR, LF or NUL can."""
    return b"".join(bytes((b,)) if b in _PLAIN else b"%%%02X" % b for b in text.encode("utf-8", "replace"))


def decode_binary(text: bytes) -> bytes | None:
    """
    The bytes of a `-bin` metadata value: base64 with or without padding, or None when it is not base64.

    A comma joins several values of one key; the first counts here.
    """
    first = text.split(b",", 1)[0].strip().rstrip(b"=")
    try:
        return base64.b64decode(first + b"=" * (-len(first) % 4), validate=True)
    except binascii.Error:
        return None


def encode_binary(value: bytes) -> bytes:
    """A `-bin` metadata value: base64 without padding, as every gRPC implementation sends it."""
    return base64.b64encode(value).rstrip(b"=")

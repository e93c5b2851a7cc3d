"""
The opening handshake of a WebSocket, from the gateway's side.

Owns what makes a request one, what is wrong with it, and which subprotocol is spoken. No extension is ever taken up, so no frame is
compressed: a message's size on the wire is its size in memory. Source: RFC 6455 sections 4.1, 4.2; RFC 8441 section 5 (over HTTP/2).
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from enum import Enum
from hashlib import sha1
from typing import NamedTuple

Header = tuple[bytes, bytes]

WEBSOCKET = "websocket"
"""What an extended CONNECT calls it."""

VERSION = b"13"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16


class Subprotocol(Enum):
    """How messages are carried: JSON in text frames, or protobuf in binary frames."""

    JSON = "edge.json"
    PROTO = "edge.proto"


class Handshake(NamedTuple):
    """A sound handshake: the client's key (empty over HTTP/2), and the subprotocols it offers, in its order."""

    key: bytes
    offered: Sequence[str]


class HandshakeError(ValueError):
    """The request is no handshake we can accept. `version`: of another version of the protocol."""

    def __init__(self, message: str, *, version: bool = False) -> None:
        super().__init__(message)
        self.version = version


def is_handshake(method: str, version: str, headers: Iterable[Header]) -> bool:
    """Whether a request asks to become a WebSocket; what asks in another way is an ordinary request (RFC 9110 7.8)."""
    if method != "GET" or version != "1.1":
        return False
    upgrade = connection = False
    for name, value in headers:
        if name == b"upgrade":
            upgrade = upgrade or b"websocket" in _tokens(value)
        elif name == b"connection":
            connection = connection or b"upgrade" in _tokens(value)
    return upgrade and connection


def handshake(headers: Iterable[Header], *, keyed: bool = True) -> Handshake:
    """
    What the client offers. Raises HandshakeError.

    The key proves to an HTTP/1.1 client that its Upgrade was understood; over HTTP/2 the setting has, and there is none.
    """
    keys, versions, offered = [], [], []
    for name, value in headers:
        if name == b"sec-websocket-key":
            keys.append(value)
        elif name == b"sec-websocket-version":
            versions.append(value)
        elif name == b"sec-websocket-protocol":
            offered += [part.strip() for part in value.decode("latin-1").split(",")]
    if versions != [VERSION]:
        raise HandshakeError("Sec-WebSocket-Version must be 13", version=True)
    if keyed and (len(keys) != 1 or not _is_key(keys[0])):
        raise HandshakeError("Sec-WebSocket-Key must be 16 bytes in base64")
    return Handshake(keys[0] if keyed else b"", [name for name in offered if name])


def accepted(given: Handshake, spoken: Sequence[Subprotocol]) -> Subprotocol:
    """The subprotocol: the first of the client's that we speak, JSON when it names none. Raises HandshakeError."""
    known = {subprotocol.value: subprotocol for subprotocol in spoken}
    for name in given.offered:
        if name in known:
            return known[name]
    if given.offered:  # a browser would close a connection that took up none of what it offered
        raise HandshakeError(f"none of the subprotocols offered is spoken on this path, which has {', '.join(known)}")
    return Subprotocol.JSON


def response_fields(given: Handshake, subprotocol: Subprotocol) -> list[Header]:
    """The fields of the 101, or over HTTP/2 of the 200."""
    fields: list[Header] = []
    if given.key:
        digest = sha1(given.key + _GUID, usedforsecurity=False).digest()
        fields += [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", b64encode(digest)),
        ]
    if given.offered:
        fields.append((b"sec-websocket-protocol", subprotocol.value.encode("ascii")))
    return fields


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")]


def _is_key(value: bytes) -> bool:
    try:
        return len(b64decode(value, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False

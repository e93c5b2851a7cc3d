"""
The seam between HTTP and the dialects: what a protocol handler hands over, and what it gets back.

Owns these values. A protocol handler (`http1`, later `http2`) knows nothing of routes or RPCs; a service knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from edge.outcome import Fault, Refusal

Header = tuple[bytes, bytes]
"""A header field: lower-case name, value without surrounding white space."""


class Head(NamedTuple):
    """
    A request's head. `path` and `query` are the target's two parts as received, neither decoded; `query` has no `?`.

    `content_length` is None when the body is chunked or absent; `has_body` tells the two apart. `started` is the monotonic
    time of the request's first byte.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Sequence[Header]
    peer: str
    secure: bool
    started: float
    has_body: bool = False
    content_length: int | None = None

    def get(self, name: bytes) -> str:
        """The first value of a header as Latin-1 text, empty when absent."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return ""


class Answer(NamedTuple):
    """
    A whole response. Content-Length, Date and Connection are the protocol handler's to add; `close` asks it to end the connection.

    For HEAD requests `body` is what GET would have given: the handler counts it and sends none of it.
    """

    status: int
    headers: Sequence[Header] = ()
    body: bytes = b""
    close: bool = False


class Call(Protocol):
    """
    A request whose head was accepted. Exactly one of `finish` and `abandon` is called, once.

    `max_body_bytes` bounds the body as sent: the handler stops reading past it and abandons with BODY_TOO_LARGE.
    """

    @property
    def max_body_bytes(self) -> int:
        """The most body bytes this call may bring."""

    async def finish(self, body: bytes) -> Answer:
        """The body is whole: run the call. Cancelled when the client goes away; whatever is held is given back even then."""

    def abandon(self, refusal: Refusal) -> Answer:
        """The body will not be whole. The answer tells the client why, if it still listens."""

    def sent(self, response_bytes: int) -> None:
        """The answer's last byte was handed to the transport (or the client is gone): settle, log."""


class Service(Protocol):
    """What a protocol handler serves: looks at a head and either answers at once or takes the call on."""

    def begin(self, head: Head) -> Call | Answer:
        """Decide on the head alone, before a body byte is read (and before 100 Continue is sent)."""

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """Shape, log and count a refusal of a request that never became a call; `head` as far as it was read."""


def over_limit(limit: int) -> Refusal:
    """The refusal of a body larger than `limit` bytes."""
    return Refusal(Fault.BODY_TOO_LARGE, message=f"the request body is larger than {limit} bytes")

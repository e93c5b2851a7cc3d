"""
The seam between the gateway and a gRPC service: what a call is given, and how it can come back.

Owns these values. An answer of the service, whatever its status, is a UnaryReply; everything that kept the service from
answering is a Refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.outcome import Refusal

Header = tuple[bytes, bytes]


@dataclass(slots=True, eq=False, kw_only=True)
class Trace:
    """
    What the access log wants to know of a call's way upstream, filled in as it happens. Seconds.

    `moved` is when the service last sent a byte of a stream, on the loop's clock. `via` is the way the call took where there are several.
    """

    address: str = ""
    started: float = 0.0
    upstream_s: float = 0.0
    attempts: int = 0
    moved: float = 0.0
    via: str = ""


@dataclass(slots=True, eq=False)
class UnaryRequest(Trace):
    """
    One unary call, and the trace of it. `path` is `/package.Service/Method`, `message` the serialized request.

    `deadline` is absolute, on the event loop's clock; what remains goes out as grpc-timeout. `metadata` is sent as it is
    (lower-case names, `-bin` values already base64).
    """

    path: bytes
    message: bytes
    metadata: Sequence[Header] = ()
    deadline: float | None = None
    max_response_bytes: int = 4 * 1024 * 1024


@dataclass(slots=True)
class UnaryReply:
    """
    The service's answer. `message` is None unless `code` is 0. `details` is the raw google.rpc.Status of grpc-status-details-bin.

    `headers` and `trailers` hold custom metadata only (no pseudo-headers, no grpc-status and the like).
    """

    code: int
    message: bytes | None
    text: str = ""
    details: bytes | None = None
    headers: Sequence[Header] = ()
    trailers: Sequence[Header] = ()


Done = Callable[[UnaryReply | Refusal], None]
"""Hears how a call ended. It must not raise: it is called from a connection that serves other calls too."""


class Running(Protocol):
    """A unary call on its way."""

    def cancel(self) -> None:
        """Give it up: its stream is reset, and nobody hears of an outcome. Harmless once somebody has."""


class Upstream(Protocol):
    """A pool of connections to one upstream."""

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        """Begin one call; its trace is kept on the request. `done` is called once, now or later, unless the call is cancelled before."""

    async def open_stream(
        self,
        path: bytes,
        metadata: Sequence[Header] = (),
        deadline: float | None = None,
        *,
        max_message_bytes: int = 4 * 1024 * 1024,
        trace: Trace | None = None,
    ) -> MessageStream:
        """Begin a streaming call. When it cannot begin, the stream returned has ended already: see its `outcome`."""


class MessageStream(Protocol):
    """A streaming call: messages both ways, in order, with back-pressure."""

    async def send(self, message: bytes, *, end: bool = False) -> None:
        """Send one message; waits while flow control allows no more."""

    async def end(self) -> None:
        """Half-close: no more messages from us."""

    async def head(self) -> Sequence[Header] | None:
        """The service's initial metadata, once it has come; None when the call ended without any."""

    async def receive(self) -> bytes | None:
        """The next message, or None when the service has ended; then `outcome` is set."""

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        """The messages that are there without waiting: so many at most, and no more once they are that large together."""

    @property
    def outcome(self) -> UnaryReply | Refusal | None:
        """How the stream ended (a UnaryReply without message), None while it runs."""

    def cancel(self) -> None:
        """Reset the stream; harmless when it has ended."""

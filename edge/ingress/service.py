"""
The seam between HTTP and the dialects: what a protocol handler hands over, and what it gets back.

Owns these values. A protocol handler (`http1`, later `http2`) knows nothing of routes or RPCs; a service knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, Protocol

from edge.core.mesh_caller import Caller
from edge.outcome import Fault, Refusal

Header = tuple[bytes, bytes]
"""A header field: lower-case name, value without surrounding white space."""


@dataclass(slots=True, eq=False, init=False)
class Head:
    """
    A request's head. `path` and `query` are the target's two parts as received, neither decoded; `query` has no `?`.

    `content_length` is None when the body is chunked or absent; `has_body` tells the two apart. `started` is the monotonic
    time of the request's first byte; `first` has the first value of each header. `protocol` is what an HTTP/2 request wants spoken on its
    stream instead (RFC 8441), mostly empty. `caller` is who sends it, where its connection has proved that; set once, by the mesh's gate.
    Nobody else changes a head: a dataclass that is not frozen is made in half the time.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Sequence[Header]
    peer: str
    secure: bool
    started: float
    has_body: bool
    content_length: int | None
    first: dict[bytes, bytes] = field(repr=False)
    protocol: str
    caller: Caller | None

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        version: str,
        headers: Sequence[Header],
        peer: str,
        secure: bool,
        started: float,
        has_body: bool = False,
        content_length: int | None = None,
        first: dict[bytes, bytes] | None = None,
        protocol: str = "",
        caller: Caller | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.version = version
        self.headers = headers
        self.peer = peer
        self.secure = secure
        self.started = started
        self.has_body = has_body
        self.content_length = content_length
        self.first = first or dict(reversed(headers))
        self.protocol = protocol
        self.caller = caller

    def with_headers(self, headers: Sequence[Header]) -> Head:
        """The same head with other headers."""
        return replace(self, headers=headers, first={})

    def get(self, name: bytes) -> str:
        """The first value of a header as Latin-1 text, empty when absent."""
        value = self.first.get(name)
        return "" if value is None else value.decode("latin-1")


class Answer(NamedTuple):
    """
    A whole response. Content-Length, Date and Connection are the protocol handler's to add; `close` asks it to end the connection.

    For HEAD requests `body` is what GET would have given: the handler counts it and sends none of it. `trailers` follow the body where
    the protocol has them (HTTP/2), as a block of their own even when the body is empty: what is in the head and what is behind it
    are two things to a client. (gRPC's Trailers-Only is an answer without trailers; the dialect makes it.)
    """

    status: int
    headers: Sequence[Header] = ()
    body: bytes = b""
    close: bool = False
    trailers: Sequence[Header] = ()


Answered = Callable[[Answer | None], None]
"""Hears what a call answers; None when it was cancelled. It must not raise: it may be called from the connection of another call's."""


class Call(Protocol):
    """
    A request whose head was accepted. Exactly one of `finish` and `abandon` is called, once.

    `max_body_bytes` bounds the body as sent: the handler stops reading past it and abandons with BODY_TOO_LARGE. `streams` tells it from
    a StreamCall.
    """

    streams: Literal[False]

    @property
    def max_body_bytes(self) -> int:
        """The most body bytes this call may bring."""

    def finish(self, body: bytes, answered: Answered) -> None:
        """The body is whole: run the call. `answered` is called exactly once, now or later, whatever happens."""

    def cancel(self) -> None:
        """The client has gone: end a call that runs, whose service then hears so. Harmless when it has answered."""

    def abandon(self, refusal: Refusal) -> Answer:
        """The body will not be whole. The answer tells the client why, if it still listens."""

    def sent(self, response_bytes: int) -> None:
        """The answer's last byte was handed to the transport (or the client is gone): settle, log."""


class BodySource(Protocol):
    """A request body as it comes, with back-pressure: what is not read is not let in."""

    async def read(self) -> bytes:
        """The next piece, empty at the end. Raises BodyBroken when the rest will not come (too slow, not well-formed, too large)."""


class BodyBroken(Exception):
    """The request body ended before its end; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail or refusal.public_message)
        self.refusal = refusal


class AnswerSink(Protocol):
    """An answer as it is made. `start` once, then writes, then exactly one of `end` and `abort`."""

    def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the head. It goes out at once: a client may wait for it before it sends more."""

    async def write(self, data: bytes) -> None:
        """Send a piece of the body, at once; waits while the client is slower than we are."""

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """The body is whole."""

    def abort(self) -> None:
        """The body will not be whole, and the client must be able to tell: a reset, or a connection closed inside the body."""


class StreamCall(Protocol):
    """
    A request whose body and answer are streams. `run` is called once, then `sent` once, whatever happens.

    `max_body_bytes` is None when the dialect bounds messages, not the body. `streams` tells it from a Call.
    """

    streams: Literal[True]

    @property
    def max_body_bytes(self) -> int | None:
        """The most body bytes this call may bring in all."""

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        """
        Run the call; both directions may be at work at once. Cancelled when the client goes away.

        Returns with the answer ended or aborted; what it left open is aborted by the protocol handler.
        """

    def sent(self, response_bytes: int) -> None:
        """The answer's last byte was handed to the transport (or the client is gone): settle, log."""


class Service(Protocol):
    """What a protocol handler serves: looks at a head and either answers at once or takes the call on."""

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        """Decide on the head alone, before a body byte is read (and before 100 Continue is sent)."""

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """Shape, log and count a refusal of a request that never became a call; `head` as far as it was read."""


async def answer_to(call: Call, body: bytes) -> Answer:
    """Finish a call in a coroutine; cancelling it cancels the call."""
    answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
    call.finish(body, lambda answer: None if answered.done() else answered.set_result(answer))
    try:
        answer = await answered
    except asyncio.CancelledError:
        call.cancel()
        raise
    if answer is None:
        raise asyncio.CancelledError
    return answer


def over_limit(limit: int) -> Refusal:
    """The refusal of a body larger than `limit` bytes."""
    return Refusal(Fault.BODY_TOO_LARGE, message=f"the request body is larger than {limit} bytes")

"""
A call that takes the connection with it: what an HTTP/1.1 handler hands over when the protocol of its socket changes.

Owns this seam. The handler's part ends with it: it has read one whole head and not a byte further, what came behind the head goes along
unread, and the answer (101) is the new protocol's to send. Source: RFC 9110 7.8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from edge.ingress.connections import Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import AnswerSink, BodySource, Head, Service, StreamCall


class Register(Protocol):
    """Where a connection is on record until nothing runs for it any more (`connections.Connections`)."""

    def replace(self, connection: Connection, successor: Connection) -> None:
        """The same socket in other hands."""

    def discard(self, connection: Connection) -> None:
        """It is gone."""


class Handover(NamedTuple):
    """
    A connection on its way; `rest` came behind the head. The new protocol has to `replace` `former` in `connections`.

    There is no `former` where the connection is a stream of one that stays what it is.
    """

    transport: asyncio.Transport
    former: Connection | None
    connections: Register
    service: Service
    limits: Http1Limits
    loop: asyncio.AbstractEventLoop
    head: Head
    rest: bytes


class Upgrade:
    """A StreamCall that runs in another protocol: `take` is given the connection instead of `run` being called with a body."""

    __slots__ = ("_call", "_take")

    streams: Literal[True] = True
    max_body_bytes: int | None = None

    def __init__(self, call: StreamCall, take: Callable[[Handover, StreamCall], None]) -> None:
        self._call = call
        self._take = take

    def take(self, handover: Handover) -> None:
        """The connection is the new protocol's."""
        self._take(handover, self._call)

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        """As any StreamCall; the new protocol's handler runs `call` itself."""
        await self._call.run(body, answer)

    def sent(self, response_bytes: int) -> None:
        """As any StreamCall."""
        self._call.sent(response_bytes)

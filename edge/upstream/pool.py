"""
The calls made to one upstream: what goes out with each, and which of them may be made again.

Owns the rule of transparent retries: a call is made again only when the service surely did not begin it, because it was
refused, lies above a GOAWAY's last stream, or was never written (gRFC A6). Which connection takes a call is `slots`' affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from edge import __version__
from edge.core.grpc_timeout import format_timeout
from edge.core.header_rules import trailers_fault
from edge.outcome import Fault, Refusal
from edge.upstream.call import Header, MessageStream, Trace, UnaryReply, UnaryRequest
from edge.upstream.connection import Connection
from edge.upstream.duplex import DuplexStream
from edge.upstream.endpoint import DialPlan
from edge.upstream.reply import deadline_exceeded
from edge.upstream.slots import EndpointState, Slots
from edge.upstream.stream import Outcome, UnaryStream, Unprocessed

MAX_ATTEMPTS = 3
"""How often a call that no service began is made, the first time included."""

_MAX_PREPARED_HEADS = 4096  # one per path and authority; paths come from routes, but nothing here relies on that
_USER_AGENT = f"edge-gateway/{__version__}".encode()
_DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PoolState:
    """A snapshot of a pool."""

    name: str
    endpoints: tuple[EndpointState, ...]
    pending: int


class Pool:
    """
    `edge.upstream.call.Upstream` over a fixed list of endpoints.

    `metadata` is added to every call, in place of what the call brings under the same names: a client must not be able to set
    beside the operator's credential one of its own.
    """

    def __init__(
        self,
        name: str,
        endpoints: Sequence[tuple[str, int]],
        plan: DialPlan,
        *,
        authority: str | None = None,
        metadata: Sequence[Header] = (),
        max_connections: int = 4,
        max_pending: int = 1024,
    ) -> None:
        self.name = name
        self._slots = Slots(name, endpoints, plan, max_connections=max_connections, max_pending=max_pending)
        self._scheme = b"http" if plan.security.context is None else b"https"
        self._authority = authority
        self._metadata = tuple(metadata)
        self._own_names = frozenset(name for name, _ in metadata)
        self._heads: dict[tuple[bytes, str], tuple[Header, ...]] = {}

    async def unary(self, request: UnaryRequest, trace: Trace) -> UnaryReply | Refusal:
        """Make one call, again elsewhere while no service has begun it. Cancelling it resets the stream."""
        fault = trailers_fault(request.metadata)
        if fault is not None:  # one bad field must not cost the connection the calls beside this one
            return Refusal(Fault.INVALID_ARGUMENT, f"metadata: {fault}")
        reason = ""
        for _ in range(MAX_ATTEMPTS):
            connection = self._slots.take() or await self._slots.wait(request.deadline)
            if isinstance(connection, Refusal):
                return connection
            outcome = await self._attempt(connection, request, trace)
            if not isinstance(outcome, Unprocessed):
                return outcome
            reason = outcome.reason
        return Refusal(Fault.UPSTREAM_UNAVAILABLE, reason)

    async def _attempt(self, connection: Connection, request: UnaryRequest, trace: Trace) -> Outcome:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if request.deadline is not None and request.deadline <= now:
            self._slots.pump()  # the stream we do not take is another's
            return deadline_exceeded()
        done: asyncio.Future[Outcome] = loop.create_future()
        stream = UnaryStream(request.message, request.max_response_bytes, done)
        trace.attempts += 1
        trace.address = connection.address
        trace.started = trace.started or now
        connection.start(stream, self._head(request.path, request.metadata, request.deadline, connection, now))
        timer = None if request.deadline is None else loop.call_at(request.deadline, stream.expire)
        try:
            return await done
        finally:
            if timer is not None:
                timer.cancel()
            trace.sent = trace.sent or connection.has_written(stream)
            trace.upstream_s = loop.time() - trace.started
            if stream.settled_as is None:  # we were cancelled
                stream.cancel()

    async def open_stream(
        self,
        path: bytes,
        metadata: Sequence[Header] = (),
        deadline: float | None = None,
        *,
        max_message_bytes: int = _DEFAULT_MESSAGE_BYTES,
        trace: Trace | None = None,
    ) -> MessageStream:
        """Begin a streaming call. When it cannot begin, the stream returned has ended already: see its `outcome`."""
        loop = asyncio.get_running_loop()
        stream = DuplexStream(loop, max_message_bytes, deadline, trace)
        fault = trailers_fault(metadata)
        if fault is not None:
            stream.settle(Refusal(Fault.INVALID_ARGUMENT, f"metadata: {fault}"))
            return stream
        try:
            connection = self._slots.take() or await self._slots.wait(deadline)
        except asyncio.CancelledError:
            stream.cancel()
            raise
        if isinstance(connection, Refusal):
            stream.settle(connection)
        elif stream.settled_as is None:
            if trace is not None:
                trace.address, trace.started = connection.address, loop.time()
            connection.start(stream, self._head(path, metadata, deadline, connection, loop.time()))
        else:
            self._slots.pump()  # the deadline passed while we waited: the stream is another's
        return stream

    def _head(
        self, path: bytes, metadata: Sequence[Header], deadline: float | None, connection: Connection, now: float
    ) -> Sequence[Header]:
        authority = self._authority or connection.address
        head = self._heads.get((path, authority)) or self._prepare(path, authority)
        if self._own_names:
            metadata = [*self._metadata, *(entry for entry in metadata if entry[0] not in self._own_names)]
        if deadline is not None:
            return (*head, (b"grpc-timeout", format_timeout(deadline - now)), *metadata)
        return (*head, *metadata)

    def _prepare(self, path: bytes, authority: str) -> tuple[Header, ...]:
        """
        The part of a request's head that is the same for every call of a path.

        No grpc-accept-encoding of our own: on a mesh's links compression costs both ends more than it saves. A service that compresses
        with gzip all the same is understood.
        """
        head = (
            (b":method", b"POST"),
            (b":scheme", self._scheme),
            (b":path", path),
            (b":authority", authority.encode("latin-1")),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", _USER_AGENT),
        )
        if len(self._heads) < _MAX_PREPARED_HEADS:
            self._heads[(path, authority)] = head
        return head

    async def warm(self) -> Refusal | None:
        """Make sure that one connection stands; why not, if it cannot be made."""
        granted = self._slots.take() or await self._slots.wait(None)
        self._slots.pump()
        return granted if isinstance(granted, Refusal) else None

    async def close(self, drain_s: float) -> None:
        """Refuse new calls, let those that run end for at most `drain_s` seconds, then close every connection."""
        await self._slots.close(drain_s)

    def state(self) -> PoolState:
        """A snapshot for the admin listener."""
        endpoints, pending = self._slots.state()
        return PoolState(self.name, endpoints, pending)

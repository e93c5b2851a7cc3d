"""
The calls made to one upstream, over a list of endpoints that may change.

Owns how a call of either kind begins: a unary one is `attempts`' affair from there on, a streaming one `duplex`'. Which connection takes
a call is decided by `slots`, what stands in its head by `request_head`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.outcome import Refusal
from edge.upstream.attempts import Attempts
from edge.upstream.call import Done, Header, MessageStream, Running, Trace, UnaryRequest
from edge.upstream.connection import Connection
from edge.upstream.duplex import DuplexStream
from edge.upstream.endpoint import Dialled, DialPlan
from edge.upstream.request_head import RequestHeads
from edge.upstream.slots import EndpointState, Slots

_DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PoolState:
    """A snapshot of a pool."""

    name: str
    endpoints: tuple[EndpointState, ...]
    pending: int


class Pool:
    """`edge.upstream.call.Upstream` over a list of endpoints, of the loop that it is made in. `metadata` is added to every call."""

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
        scheme = b"http" if plan.security.context is None else b"https"
        self._heads = RequestHeads(scheme, authority, metadata)
        # Here, not for each call: until Python 3.12, asking is a system call (getpid).
        self._loop = asyncio.get_running_loop()

    def seek(self, hold_s: float, why_none: Callable[[], str]) -> None:
        """As `Slots.seek`."""
        self._slots.seek(hold_s, why_none)

    def replace(self, endpoints: Iterable[Dialled]) -> None:
        """As `Slots.replace`."""
        self._slots.replace(endpoints)

    def drain_where(self, reason_of: Callable[[Connection], str | None]) -> dict[str, int]:
        """As `Slots.drain_where`."""
        return self._slots.drain_where(reason_of)

    def reachable(self) -> bool:
        """As `Slots.reachable`."""
        return self._slots.reachable()

    def probe(self) -> None:
        """As `Slots.probe`."""
        self._slots.probe()

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        """Begin one call; it is made again elsewhere while no service has begun it."""
        call = Attempts(self._slots, self._heads, self._loop, request, done)
        call.begin()
        return call

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
        loop = self._loop
        stream = DuplexStream(loop, max_message_bytes, deadline, trace)
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
            remaining_s = None if deadline is None else deadline - loop.time()
            connection.start(stream, self._heads.of(path, metadata, remaining_s, connection.address), None)
        else:
            self._slots.pump()  # the deadline passed while we waited: the stream is another's
        return stream

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

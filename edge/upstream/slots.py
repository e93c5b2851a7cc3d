"""
The streams an upstream can give to calls: its endpoints, and the queue of calls that wait for one.

Owns who gets a stream next (the choice itself is `core.pool_decision`): calls wait in order, in a bounded queue, until a stream
ends or a connection is made; when nothing can be reached they all fail at once. While any call waits, no stream is free.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from edge.core.pool_decision import Refuse, Take, Wait, decide, reachable
from edge.outcome import Fault, Refusal
from edge.upstream.connection import Connection
from edge.upstream.endpoint import Dialled, DialPlan, Endpoint
from edge.upstream.reply import deadline_exceeded


@dataclass(frozen=True, slots=True)
class EndpointState:
    """One endpoint, for the admin listener and `edge doctor`. `retry_after_s` is 0 unless it is in backoff."""

    address: str
    connections: int
    streams: int
    dialing: bool
    retry_after_s: float
    last_error: str


Granted = Connection | Refusal


class Slots:
    """The endpoints of one upstream and the calls that wait for them. `max_connections` is per endpoint."""

    def __init__(
        self, name: str, endpoints: Sequence[tuple[str, int]], plan: DialPlan, *, max_connections: int, max_pending: int
    ) -> None:
        self._name = name
        self._plan = plan
        self._endpoints: list[Endpoint] = []
        self._keys: list[Dialled] = []
        self._leaving: list[Endpoint] = []  # no endpoints any more, with calls that still run
        self._sought: asyncio.TimerHandle | None = None
        self._why_none: Callable[[], str] = lambda: "it has no endpoints"
        self._become([Dialled(host, port) for host, port in endpoints])
        self._max_connections = max_connections
        self._max_pending = max_pending
        self._pending: deque[asyncio.Future[Granted]] = deque()
        self._turn = 0
        self._closing = False

    def seek(self, hold_s: float, why_none: Callable[[], str]) -> None:
        """
        The endpoints are being looked up: until `replace`, calls wait for them, but for no more than `hold_s` seconds from now.

        `why_none` says afterwards why there are none.
        """
        self._why_none = why_none
        self._sought = asyncio.get_running_loop().call_later(hold_s, self._found)

    def replace(self, endpoints: Iterable[Dialled]) -> None:
        """
        These are the endpoints from now on, each once.

        What is among them already keeps its connections and its backoff; new ones are dialled when calls need them; from those that are
        gone, calls are not taken away.
        """
        if self._closing:
            return
        self._become(list(endpoints))
        self._found()

    def _found(self) -> None:
        if self._sought is not None:
            self._sought.cancel()
            self._sought = None
        self.pump()

    def _become(self, wanted: list[Dialled]) -> None:
        known = dict(zip(self._keys, self._endpoints, strict=True))
        self._keys = wanted
        self._endpoints = [known.pop(each) if each in known else self._made(each) for each in wanted]
        for endpoint, each in zip(self._endpoints, wanted, strict=True):
            endpoint.weight = each.weight
        self._only = self._endpoints[0] if len(self._endpoints) == 1 else None
        self._leaving = [*(each for each in self._leaving if each.open or each.dialing), *known.values()]
        for endpoint in known.values():
            endpoint.leave()

    def _made(self, each: Dialled) -> Endpoint:
        plan = self._plan if each.security is None else replace(self._plan, security=each.security)
        return Endpoint(each.host, each.port, plan, self, each.weight)

    def drain_where(self, reason_of: Callable[[Connection], str | None]) -> dict[str, int]:
        """Have each connection drain for which there is a reason; how many, by reason."""
        drained: dict[str, int] = {}
        for endpoint in tuple(self._endpoints):
            for connection in tuple(endpoint.links):
                reason = reason_of(connection)
                if reason is not None:
                    drained[reason] = drained.get(reason, 0) + 1
                    connection.drain()
        return drained

    def take(self) -> Granted | None:
        """A connection for a call now, or a refusal, or None: the call must wait (a dial has been started if that helps)."""
        if self._closing:
            return Refusal(Fault.SHUTTING_DOWN)
        if self._only is not None:  # the common case, without ceremony: one endpoint, one connection, room on it
            links = self._only.links
            if len(links) == 1:
                link = links[0]
                if link.accepting and len(link.streams) + link.reserved < link.max_streams:  # `free`, without the call
                    return link
        decision = self._decide(len(self._pending), self._max_pending)
        if isinstance(decision, Take):
            taken: Connection = decision.link
            return taken
        return self._refusal(decision) if isinstance(decision, Refuse) else None

    def reachable(self) -> bool:
        """See `core.pool_decision.reachable`."""
        return not self._closing and reachable(self._endpoints, sought=self._sought is not None)

    def probe(self) -> None:
        """Try to connect where nobody is reached, as far as the backoff allows: calls that go elsewhere meanwhile do not."""
        now = asyncio.get_running_loop().time()
        for endpoint in self._endpoints:
            if not (self._closing or endpoint.links or endpoint.dialing) and endpoint.retry_at <= now:
                endpoint.start_dial()

    def _decide(self, pending: int, max_pending: int) -> Take[Connection] | Wait | Refuse:
        self._turn += 1
        decision = decide(
            self._endpoints,
            turn=self._turn,
            now=asyncio.get_running_loop().time(),
            max_links=self._max_connections,
            pending=pending,
            max_pending=max_pending,
            sought=self._sought is not None,
        )
        if decision.dial is not None and not self._closing:
            self._endpoints[decision.dial].start_dial()
        return decision

    def _refusal(self, decision: Refuse) -> Refusal:
        if decision.overloaded:
            return Refusal(Fault.OVERLOADED, f"{len(self._pending)} calls wait for upstream {self._name}")
        reasons = "; ".join(f"{place.address}: {place.last_error}" for place in self._endpoints) or self._why_none()
        return Refusal(Fault.UPSTREAM_UNAVAILABLE, reasons, retry_after_s=decision.retry_after_s)

    def enter(self, deadline: float | None) -> asyncio.Future[Granted]:
        """
        Queue for a connection; the dial's own timeout bounds the wait for one, the deadline that for a stream.

        What the future gives is to be claimed, or the future to be left.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Granted] = loop.create_future()
        self._pending.append(turn)
        if deadline is not None:
            timer = loop.call_at(deadline, self._expire, turn)
            turn.add_done_callback(lambda _: timer.cancel())
        return turn

    def claim(self, granted: Granted) -> Granted | None:
        """Take what a turn has given; None when it is worth nothing any more and the call must try again."""
        if isinstance(granted, Refusal):
            return granted
        if granted.accepting:
            granted.reserved -= 1
            return granted
        granted.give_back()  # it retired in the meantime
        return None

    def leave(self, turn: asyncio.Future[Granted]) -> None:
        """The call was cancelled while it waited, maybe in the very turn of the loop in which it got a stream."""
        if turn.cancel() or turn.cancelled():
            with suppress(ValueError):  # `pump` may have dropped it already
                self._pending.remove(turn)
            return
        granted = turn.result()
        if isinstance(granted, Connection):
            granted.give_back()

    async def wait(self, deadline: float | None) -> Granted:
        """Queue for a connection, in a coroutine."""
        turn = self.enter(deadline)
        try:
            granted = await turn
        except asyncio.CancelledError:
            self.leave(turn)
            raise
        return self.claim(granted) or self.take() or await self.wait(deadline)

    def _expire(self, turn: asyncio.Future[Granted]) -> None:
        if not turn.done():
            self._pending.remove(turn)
            turn.set_result(deadline_exceeded())

    def pump(self) -> None:
        """Hand free streams to those who wait, oldest first; dial when that helps; fail them all when nothing can."""
        while self._pending:
            if self._pending[0].done():  # cancelled
                self._pending.popleft()
                continue
            granted = self._grant()
            if granted is None:
                return
            self._pending.popleft().set_result(granted)

    def _grant(self) -> Granted | None:
        decision = self._decide(pending=0, max_pending=1)  # the queue is not asked again whether it is too long
        if isinstance(decision, Take):
            link: Connection = decision.link
            link.reserved += 1
            return link
        return self._refusal(decision) if isinstance(decision, Refuse) else None

    async def close(self, drain_s: float) -> None:
        """Refuse who waits and who comes, let calls that run end for at most `drain_s` seconds, close every connection."""
        self._closing = True
        while self._pending:
            turn = self._pending.popleft()
            if not turn.done():
                turn.set_result(Refusal(Fault.SHUTTING_DOWN))
        if self._sought is not None:
            self._sought.cancel()
        endpoints = [*self._endpoints, *self._leaving]
        for endpoint in endpoints:
            await endpoint.stop_dial()
        connections = [connection for endpoint in endpoints for connection in endpoint.open]
        for connection in connections:
            connection.drain()
        if connections:
            await asyncio.wait([connection.gone for connection in connections], timeout=drain_s)
        for connection in connections:
            connection.abort("the gateway is shutting down")
            await connection.gone

    def state(self) -> tuple[tuple[EndpointState, ...], int]:
        """Each endpoint, and how many calls wait."""
        now = asyncio.get_running_loop().time()
        return tuple(_state(endpoint, now) for endpoint in self._endpoints), len(self._pending)


def _state(endpoint: Endpoint, now: float) -> EndpointState:
    return EndpointState(
        endpoint.address,
        connections=len(endpoint.open),
        streams=sum(len(connection.streams) for connection in endpoint.open),
        dialing=endpoint.dialing,
        retry_after_s=max(0.0, endpoint.retry_at - now),
        last_error=endpoint.last_error,
    )

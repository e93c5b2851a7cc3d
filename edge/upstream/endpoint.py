"""
One address of an upstream: its connections, the dial under way, and its backoff.

Owns the invariant that at most one dial runs at a time and none while the backoff does. A dial that fails starts or lengthens
the backoff; a connection that is made ends it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from edge.core.backoff import delay_s
from edge.upstream.connection import Connection
from edge.upstream.dial import DialError, PeerCheck, Security, dial
from edge.upstream.heartbeat import Timing
from edge.wire.session import H2Session

_log = structlog.get_logger("edge.upstream")


@dataclass(frozen=True, slots=True)
class DialPlan:
    """How connections of an upstream are made. Times in seconds."""

    security: Security
    make_session: Callable[[], H2Session]
    timing: Timing = field(default_factory=Timing)
    connect_timeout_s: float = 2.0
    backoff_initial_s: float = 0.05
    backoff_max_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Dialled:
    """
    An address to dial and whom to expect there. Two are the same endpoint when all but the weight is.

    `expects` names who may answer (SPIFFE IDs, the server name) as `security` will check it; None: as the plan says.
    """

    host: str
    port: int
    weight: int = field(default=1, compare=False)
    expects: tuple[str, ...] = ()
    security: Security | None = field(default=None, compare=False)


class Listener(Protocol):
    """Who is told that waiting calls may go on (or must give up)."""

    def pump(self) -> None:
        """Something changed: capacity, a dial's end, a connection's end."""


class Endpoint:
    """An address and its connections; a `Place` of core.pool_decision."""

    def __init__(self, host: str, port: int, plan: DialPlan, listener: Listener, weight: int = 1) -> None:
        self.weight = weight
        self.host = host
        self.port = port
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.links: list[Connection] = []
        self.open: set[Connection] = set()  # the links, and those that only finish what runs on them
        self.retry_at = 0.0
        self.last_error = ""
        self._failures = 0
        self._plan = plan
        self._timing = plan.timing
        self._listener = listener
        self.capacity_changed = listener.pump  # a stream ended or the peer allows more
        self._dial: asyncio.Task[None] | None = None
        self._left = False

    @property
    def dialing(self) -> bool:
        """Whether a connection is being made."""
        return self._dial is not None

    @property
    def failing(self) -> bool:
        """Whether the last attempt to connect failed."""
        return self._failures > 0

    def start_dial(self) -> None:
        """Begin to make a connection; the listener is told how it went. One task per connection, none per call."""
        self._dial = asyncio.get_running_loop().create_task(self._run_dial())

    def leave(self) -> None:
        """It is no longer an endpoint of the upstream: nothing more is dialled, connections end when their calls have."""
        self._left = True
        if self._dial is not None:
            self._dial.cancel()
        for connection in tuple(self.links):
            connection.drain()

    async def stop_dial(self) -> None:
        """Give up the dial under way, if any."""
        if self._dial is not None:
            self._dial.cancel()
            await asyncio.gather(self._dial, return_exceptions=True)

    async def _run_dial(self) -> None:
        try:
            connection = await dial(
                self.host, self.port, self._plan.security, self._plan.connect_timeout_s, self._make_connection
            )
        except DialError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001  # a bug: without backoff, waiting calls would repeat it in a tight loop
            _log.exception("a dial failed inside the gateway", address=self.address)
            self._failed(repr(error))
        else:
            self._connected(connection)
        finally:
            self._dial = None
            self._listener.pump()

    def _make_connection(self, check: PeerCheck) -> Connection:
        return Connection(self.address, self._plan.make_session(), self._timing, self, check)

    def _connected(self, connection: Connection) -> None:
        if not connection.accepting:  # else a service that says GOAWAY at once would be dialled in a tight loop
            self._failed("the service ended the connection as soon as it was made")
            return
        self._failures = 0
        self.retry_at = 0.0
        self.last_error = ""
        self.open.add(connection)
        self.links.append(connection)
        if self._left:  # while it was being made
            connection.drain()

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self.last_error = reason
        wait = delay_s(
            self._failures,
            initial_s=self._plan.backoff_initial_s,
            max_s=self._plan.backoff_max_s,
            rand=random.random(),  # noqa: S311  # spreads load, guards nothing
        )
        self.retry_at = asyncio.get_running_loop().time() + wait

    # What connections report (edge.upstream.connection.Owner).

    def retired(self, connection: Connection) -> None:
        """Take it out of the choice; it stays open until what runs on it has ended."""
        if connection in self.links:
            self.links.remove(connection)
            self._listener.pump()

    def closed(self, connection: Connection, reason: str) -> None:
        """Forget it."""
        self.retired(connection)
        if connection in self.open:
            self.open.discard(connection)
            self.last_error = reason
            self._listener.pump()

    def pinged_too_often(self) -> None:
        """Ping half as often from the next connection on (gRFC A8)."""
        self._timing = replace(self._timing, keepalive_interval_s=self._timing.keepalive_interval_s * 2)

"""
The connections of a mesh listener, each with who made it, and when it has to end.

Owns that a connection ends in two steps, and that the second comes: it is told (GOAWAY, `Connection: close`) and lets what runs finish,
and is cut when the grace is over. Why one must end is the door's to say (its age, an intention withdrawn, a certificate that ends); it is
asked once a second and whenever something changed, of each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from edge.core.mesh_caller import Caller
from edge.ingress.connections import Admission, Connection, Connections
from edge.ingress.http1 import Http1Connection

LOOK_EVERY_S = 1.0

_log = structlog.get_logger("edge.mesh")


class Ending(Enum):
    """Why a connection was told to end."""

    AGE = "age"
    INTENTIONS = "intentions"
    CERTIFICATE = "certificate"


@dataclass(eq=False, slots=True)
class Visit:
    """One connection. `ends_at` in the loop's seconds; `cut_at` is set once it was told; `welcome` when the caller has been allowed."""

    caller: Caller
    ends_at: float
    certificate_ended: Callable[[], str | None] = lambda: None
    welcome: bool = False
    cut_at: float | None = None


WhyEnd = Callable[[Visit, float], tuple[Ending, str] | None]


class Visits:
    """Those of one listener."""

    def __init__(self, why_end: WhyEnd, grace_s: float, ended: Callable[[Ending], None]) -> None:
        self._why_end = why_end
        self._grace_s = grace_s
        self._ended = ended
        self._open: dict[Connection, Visit] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def arrived(self, connection: Connection, visit: Visit) -> None:
        """A visit began."""
        self._open[connection] = visit
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._tick)

    def changed_hands(self, connection: Connection, successor: Connection) -> None:
        """The same connection, in another protocol."""
        if (visit := self._open.pop(connection, None)) is not None:
            self._open[successor] = visit

    def left(self, connection: Connection) -> None:
        """It is over."""
        self._open.pop(connection, None)

    def review(self) -> None:
        """Look at each: tell those that must end, cut those whose grace is over."""
        now = asyncio.get_running_loop().time()
        for connection, visit in tuple(self._open.items()):
            if visit.cut_at is not None:
                if now >= visit.cut_at:
                    connection.cut()
            elif (why := self._why_end(visit, now)) is not None:
                visit.cut_at = now + self._grace_s
                self._ended(why[0])
                _log.info("a caller's connection ends", caller=visit.caller.spiffe_id, reason=why[1])
                # HTTP/1.1 reads `draining` with its next answer. Told now, it would close under a request that is on its way.
                if not isinstance(connection, Http1Connection):
                    connection.drain()

    def _tick(self) -> None:
        try:
            self.review()
        finally:  # one look that fails must not be the last
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._tick) if self._open else None

    def close(self) -> None:
        """The listener is drained."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class VisitConnections(Connections):
    """
    The listener's connections as one of them sees them: the same count and memory, and a draining of its own.

    What a protocol handler reads to know whether to end after this answer is then true for one connection alone.
    """

    __slots__ = ("_visit", "_visits", "_whole")

    def __init__(self, whole: Connections, visits: Visits, visit: Visit) -> None:
        self._whole = whole
        self._visits = visits
        self._visit = visit
        self.suspects = whole.suspects
        self.backlog = whole.backlog

    @property
    def draining(self) -> bool:  # type: ignore[override]  # read-only here: the listener sets its own
        """Whether this connection is to end."""
        return self._visit.cut_at is not None or self._whole.draining

    def __len__(self) -> int:
        return len(self._whole)

    def add(self, connection: Connection) -> Admission:
        """As in Connections."""
        self._visits.arrived(connection, self._visit)
        return self._whole.add(connection)

    def discard(self, connection: Connection) -> None:
        """As in Connections."""
        self._visits.left(connection)
        self._whole.discard(connection)

    def replace(self, connection: Connection, successor: Connection) -> None:
        """As in Connections."""
        self._visits.changed_hands(connection, successor)
        self._whole.replace(connection, successor)

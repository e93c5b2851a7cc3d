"""
A listener of the mesh: nobody without a certificate that proves a service comes in, and each comes in as that service.

Owns the order at a connection's begin: the handshake, then the verdict on the peer, then the protocol, by ALPN or, where a proxy offers
none (Consul's for services whose protocol is tcp), by the first bytes. Not a byte of a peer that was refused is read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from edge.ingress.connections import ConnectionSlots
from edge.ingress.detect import AlpnSwitch, PrefaceSwitch
from edge.ingress.http1 import Http1Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2 import Http2Connection, MakeSession
from edge.ingress.listener import Listener, server_session
from edge.ingress.service import Service
from edge.ingress.visits import Ending, Visit, VisitConnections, Visits

ALPN = ("h2", "http/1.1")


class Door(Protocol):
    """Who is let in. `context` is for every handshake, whatever certificates come and go."""

    @property
    def context(self) -> ssl.SSLContext:
        """Presents our leaf, demands the peer's."""

    @property
    def grace_s(self) -> float:
        """How long what runs may go on, on a connection that was told to end."""

    def admit(self, transport: asyncio.BaseTransport) -> Visit | None:
        """After a handshake: who it is; None, and why is logged, for one who is refused."""

    def guarded(self, service: Service, visit: Visit) -> Service:
        """The service as this visitor may use it."""

    def why_end(self, visit: Visit, now: float) -> tuple[Ending, str] | None:
        """Why a connection must end now, or None."""

    def ended(self, ending: Ending) -> None:
        """One was told to."""

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called when `why_end` may say something else; returns what ends that."""


class MeshListener(Listener):
    """As Listener, behind a door."""

    def __init__(
        self,
        door: Door,
        service: Service,
        limits: Http1Limits,
        slots: ConnectionSlots,
        make_session: MakeSession = server_session,
    ) -> None:
        super().__init__(service, limits, slots, door.context, make_session)
        self._door = door
        self.visits = Visits(door.why_end, door.grace_s, door.ended)
        self._forget = door.watch(self.visits.review)

    def _switch(self, loop: asyncio.AbstractEventLoop) -> Callable[[], asyncio.Protocol]:
        return partial(MeshSwitch, self._door, partial(self._protocol, loop))

    def _protocol(self, loop: asyncio.AbstractEventLoop, visit: Visit, alpn: str | None) -> asyncio.Protocol:
        """What serves a visitor."""
        service = self._door.guarded(self._service, visit)
        connections = VisitConnections(self._connections, self.visits, visit)
        given = (service, self._limits, connections, loop)
        http1, http2 = partial(Http1Connection, *given), partial(Http2Connection, *given, self._make_session)
        return AlpnSwitch(http1, http2) if alpn is not None else PrefaceSwitch(http1, http2, connections)

    async def drain(self, timeout_s: float) -> None:
        """As in Listener."""
        self._forget()
        await super().drain(timeout_s)
        self.visits.close()


class MeshSwitch(asyncio.Protocol):
    """Begins each connection: admits its peer and hands it to what serves it."""

    def __init__(self, door: Door, make: Callable[[Visit, str | None], asyncio.Protocol]) -> None:
        self._door = door
        self._make = make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is over."""
        visit = self._door.admit(transport)
        if visit is None:
            cast(asyncio.Transport, transport).abort()  # uvloop's is none by inheritance
            return
        session: ssl.SSLObject = transport.get_extra_info("ssl_object")
        chosen = self._make(visit, session.selected_alpn_protocol())
        transport.set_protocol(chosen)
        chosen.connection_made(transport)

"""
A listening socket and the connections made to it, from bind to drained.

Owns their end: `drain` returns when the socket accepts no more and no connection, and no task of one, is left. The socket is
bound by whoever starts the listener (the supervisor holds it across workers), so nothing here can fail for want of a port.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from edge.core.glitches import GlitchBudget
from edge.ingress.acceptor import Acceptor
from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.detect import AlpnSwitch, PrefaceSwitch
from edge.ingress.http1 import Http1Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2 import Http2Connection, MakeSession
from edge.ingress.http2_limits import session_settings
from edge.ingress.service import Service
from edge.ingress.tls_buffers import TlsBuffers
from edge.wire.engines import engine
from edge.wire.session import H2Session, Role

BACKLOG = 4096
"""
Connections the kernel holds for us while the loop is busy. Not below `runtime.sockets.BACKLOG`: starting a server on a socket sets
its backlog anew, and the socket is shared by all workers.
"""


_MADE_S = 0.2
"""What an accepted socket has at least to become a connection, in a drain without time: without TLS it takes two turns of the loop."""


def server_session(
    limits: Http1Limits, budget: GlitchBudget, *, websocket: Callable[[], bool] = lambda: False
) -> H2Session:
    """
    Our side of a downstream's HTTP/2 connection, by the engine that runs.

    `websocket`: whether any API is offered so just now; a connection is told once, when it is made.
    """
    return engine().session(Role.SERVER, session_settings(limits, connect_protocol=websocket()), budget)


class Listener:
    """
    Serves `service` on a bound socket. `slots` is the worker's connection limit, shared by its listeners.

    Where other workers accept on the same socket (`slots.share`), it takes its share of connections; alone, all of them.
    """

    def __init__(
        self,
        service: Service,
        limits: Http1Limits,
        slots: ConnectionSlots,
        tls: ssl.SSLContext | None = None,
        make_session: MakeSession = server_session,
    ) -> None:
        self._service = service
        self._limits = limits
        self._tls = tls
        self._make_session = make_session
        self._slots = slots
        self._connections = Connections(slots)
        self._server: asyncio.Server | Acceptor | None = None

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._connections)

    async def start(self, sock: socket.socket) -> None:
        """Accept on `sock`, which is ours from now on."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)  # noqa: FBT003  # positional only
        switch = self._switch(loop)
        tls: dict[str, Any] = {}
        if self._tls is not None:
            # A handshake is part of the head as far as a slow client goes; a close_notify that never comes is not awaited long.
            waits = {
                "ssl_handshake_timeout": self._limits.header_timeout_s,
                "ssl_shutdown_timeout": self._limits.linger_s,
            }
            tls = {"ssl": self._tls, **waits}
        if self._slots.share is None:
            self._server = await loop.create_server(switch, sock=sock, backlog=BACKLOG, **tls)
        else:
            connect = partial(loop.connect_accepted_socket, switch, **tls)
            self._server = Acceptor(sock, connect, self._slots, self._slots.share)

    def _switch(self, loop: asyncio.AbstractEventLoop) -> Callable[[], asyncio.Protocol]:
        """Makes what decides the protocol of each new connection."""
        given = (self._service, self._limits, self._connections, loop)
        http1, http2 = partial(Http1Connection, *given), partial(Http2Connection, *given, self._make_session)
        if self._tls is not None:
            return partial(_over_tls, TlsBuffers(loop), http1, http2)
        return partial(PrefaceSwitch, http1, http2, self._connections)

    async def drain(self, timeout_s: float) -> None:
        """Stop accepting, let running requests finish for `timeout_s`, cut the rest."""
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        self._server.close()
        await self._connections.drain(timeout_s)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(max(end, loop.time() + _MADE_S)):
                await self._server.wait_closed()
        await self._connections.settle(max(0.0, end - loop.time()))  # those that were on their way
        self._server = None


def _over_tls(
    buffers: TlsBuffers, http1: Callable[[], Http1Connection], http2: Callable[[], Http2Connection]
) -> AlpnSwitch:
    buffers.make_room()  # uvloop makes the connection's TLS side next, in this turn
    return AlpnSwitch(http1, http2)

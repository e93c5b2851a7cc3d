"""
The listeners of a gateway: made as configured, started and drained together, their certificates renewed by a reload.

Owns how many clients may be connected over all of them: as configured, or as many as there are file descriptors for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog

from edge.config.models import Config
from edge.config.models import Listener as GivenListener
from edge.config.ways import pooled
from edge.core.fair_share import WorkerShare
from edge.ingress.connections import ConnectionSlots, limit_within
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2 import MakeSession
from edge.ingress.listener import Listener
from edge.ingress.mesh_listener import MeshListener
from edge.ingress.service import Service
from edge.ingress.tls import renew, server_context
from edge.runtime.file_limit import raise_file_limit

if TYPE_CHECKING:
    from edge.app.mesh_inbound import MeshInbound

_log = structlog.get_logger("edge.gateway")

_RESERVED_FILES = 128
"""Descriptors for the admin listener's 64 connections, logs, the loop, threads that read files."""

_ENDPOINTS_FOUND = 16
"""Of an upstream whose endpoints are found in Consul, Kubernetes or DNS, descriptors are kept for so many."""


class Listening:
    """All listeners of one configuration. `share`: other workers accept on the same sockets."""

    def __init__(self, config: Config, share: WorkerShare | None) -> None:
        self.listeners: list[Listener] = []
        self.slots = ConnectionSlots(connection_limit(config, raise_file_limit()), share)
        self._config = config
        self._limits = Http1Limits.of(config.limits)
        self._renewals: list[Callable[[], None]] = []

    async def start(
        self,
        socks: Sequence[socket.socket],
        service: Service,
        session: MakeSession,
        be_called: Callable[[], Awaitable[MeshInbound]],
    ) -> None:
        """Serve on these sockets. `session` makes our side of HTTP/2, `be_called` what a listener of the mesh needs."""
        for index, (given, sock) in enumerate(zip(self._config.listeners, socks, strict=True)):
            listener = await self._listener(index, given, service, session, be_called)
            await listener.start(sock)
            self.listeners.append(listener)
            mesh = given.mesh is not None
            _log.info("listening", address=str(given.bind), tls=given.tls is not None or mesh, mesh=mesh)

    async def _listener(
        self,
        index: int,
        given: GivenListener,
        service: Service,
        session: MakeSession,
        be_called: Callable[[], Awaitable[MeshInbound]],
    ) -> Listener:
        if given.mesh is None:
            return Listener(service, self._limits, self.slots, self._tls(index, given), session)
        return MeshListener((await be_called()).door(given.mesh), service, self._limits, self.slots, session)

    def _tls(self, index: int, given: GivenListener) -> ssl.SSLContext | None:
        """The context of a listener; a reload renews its certificate from the files it was started with."""
        tls = given.tls
        if tls is None:
            return None
        cert, key = str(self._config.resolve(tls.cert)), str(self._config.resolve(tls.key))
        client_ca = None if tls.client_ca is None else str(self._config.resolve(tls.client_ca))
        where = f"listeners[{index}].tls"
        context = server_context(cert, key, client_ca, tls.min_version, where)
        self._renewals.append(partial(renew, context, cert, key, where))
        return context

    def renew(self) -> None:
        """Use certificates that were renewed under the same names. Raises ProblemsError."""
        for renewal in self._renewals:
            renewal()

    async def drain(self, timeout_s: float) -> None:
        """Stop accepting, let calls finish for so long, cut off the rest."""
        await asyncio.gather(*(listener.drain(timeout_s) for listener in self.listeners))


def connection_limit(config: Config, files: int) -> int:
    """
    How many clients may be connected: as configured, or as many as there are file descriptors for.

    The admin listener and the upstreams keep theirs: a flood of clients must not make the gateway look dead, or be it.
    """
    upstreams = sum(
        max(len(upstream.endpoints), 0 if upstream.fixed else _ENDPOINTS_FOUND) * upstream.max_connections
        for upstream in pooled(config).values()
    )
    possible = limit_within(files - _RESERVED_FILES - upstreams)
    wanted = config.limits.max_connections
    if wanted > possible:
        _log.warning("fewer connections than configured: raise the limit on open files", limit=possible, files=files)
    return min(wanted, possible)

"""
A serving gateway: listeners, pools, watches and the snapshot that all of them serve from.

Owns the swap: a new snapshot (a reload, or what an upstream's reflection told) is built beside the running one, off the event loop,
and becomes current by one assignment; a call keeps the one it began with. What a snapshot cannot change while running (listeners,
admin, limits) is said so at reload. Drain order: not ready, stop accepting, finish calls, then close what they used.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from edge.admin.docs_page import DocsPage, gateway_url
from edge.admin.pages import Pages
from edge.admin.server import AdminServer
from edge.admin.tasks import running_tasks
from edge.app.builtin import BUILTIN, local_services
from edge.app.described import openapi_documents
from edge.app.dialects import front
from edge.app.listening import Listening
from edge.app.located_metrics import LocatedMetrics
from edge.app.locating import Locating
from edge.app.mesh_inbound_metrics import MeshInboundMetrics
from edge.app.mesh_metrics import MeshMetrics
from edge.app.policies import pipeline
from edge.app.pools import Pools, make_pools
from edge.app.reflection import Watches
from edge.app.snapshot import Snapshot, load_snapshot
from edge.app.ways import Calls, routed, unserved
from edge.app.ways_metrics import WaysMetrics, several_ways
from edge.config.models import Config, Limits
from edge.core.fair_share import WorkerShare
from edge.core.request_id import RequestIds
from edge.ingress.front import Front
from edge.ingress.grpc_health import Health
from edge.ingress.listener import server_session
from edge.ingress.serving import Serving
from edge.policies.log_access import LogAccess
from edge.telemetry.access_log import AccessLog
from edge.telemetry.line_writer import LineWriter
from edge.telemetry.metrics import Metrics
from edge.telemetry.shared_metrics import SharedMetrics
from edge.telemetry.sink import Sink
from edge.upstream.pool import Pool
from edge.upstream.routed import Destination
from edge.wire import engines
from edge.wire.engines import engine

if TYPE_CHECKING:
    from certs.source import CertificateSource
    from edge.app.mesh import Mesh
    from edge.app.mesh_inbound import MeshInbound

_log = structlog.get_logger("edge.gateway")

_FIXED = ("listeners", "admin", "limits", "access_log", "drain_timeout")
"""Sections that take effect at start only: their sockets and bounds are already in use."""


class Gateway:
    """`runtime.worker.Served`. `load` reads the configuration anew each time it is called."""

    def __init__(
        self,
        load: Callable[[], Config],
        shared: SharedMetrics | None = None,
        share: WorkerShare | None = None,
        *,
        registers: bool = True,
    ) -> None:
        """
        `shared` and `share`: there are other workers, whose metrics and connections these are as well.

        `registers`: it tells Consul of itself; a worker's supervisor does that for all of them.
        """
        self._load = load
        self._registers = registers
        self._share = share
        self._mesh: Mesh | None = None
        self._metrics = Metrics(engine=engine().name, shared=shared)
        self._metrics.before_publishing(MeshMetrics(self._metrics.registry, lambda: self._mesh).publish)
        self._locating = Locating()
        self._metrics.before_publishing(LocatedMetrics(self._metrics.registry, self._locating).publish)
        self._metrics.before_publishing(WaysMetrics(self._metrics.registry, lambda: self._routed).publish)
        inbound = MeshInboundMetrics(self._metrics.registry, lambda: None if self._mesh is None else self._mesh.inbound)
        self._metrics.before_publishing(inbound.publish)
        self._pools: Pools = {}
        self._routed: Mapping[str, Destination] = {}
        self._calls: Calls = {}
        self._snapshot: Snapshot
        self._serving: Serving
        self._limits = Limits()
        self._listening: Listening | None = None
        self._admin: AdminServer | None = None
        self._lines: LineWriter | None = None
        self._watches: Watches | None = None
        self._draining = False
        self._health = Health()
        self._all_ended = asyncio.Event()  # no call is left, of any generation
        self._beside: set[asyncio.Task[None]] = set()
        self._documents: Mapping[str, bytes] = {}

    async def start(self, listeners: Sequence[socket.socket], admin: socket.socket | None) -> None:
        """Load, then serve on these sockets. Raises ProblemsError when the configuration cannot be served."""
        config = self._load()
        if admin is not None:  # first: liveness is answered while protos compile
            self._admin = AdminServer(admin, self._pages(config))
            await self._admin.start()
        snapshot = await asyncio.to_thread(load_snapshot, config)
        self._limits = config.limits
        self._adopt(snapshot, make_pools(config, {}))
        await self._follow(config)
        await self._document(snapshot)
        self._metrics.start()
        self._listening = listening = Listening(config, self._share)
        self._metrics.watch_connections(lambda: listening.slots.used)
        session = partial(server_session, websocket=lambda: self._serving.has_websocket)
        await listening.start(listeners, self._service(config), session, self._be_called)
        self._watch(snapshot)
        if engine().name != "native":
            _log.warning("slow engine", engine=engine().name, reason=engines.without_native())
        _log.info("loaded", engine=engine().name, routes=len(snapshot.routes.routes), loading=list(snapshot.loading))
        if self._mesh is not None:
            self._mesh.register()

    async def _be_called(self) -> MeshInbound:
        assert self._mesh is not None  # a listener of the mesh needs a consul section
        return await self._mesh.be_called()

    def _pages(self, config: Config) -> Pages:
        gateways = [
            gateway_url(each.bind.host, each.bind.port, tls=each.tls is not None)
            for each in config.listeners
            if each.mesh is None
        ]
        docs = DocsPage(lambda: self._documents, gateways)
        debug = {
            "/upstreams": self._upstreams,
            "/ways": self._ways,
            "/consul": self._consul,
            "/discovery": self._locating.page,
            "/tasks": running_tasks,
        }
        return Pages(self._reasons, self._metrics.page, debug, docs.answer)

    async def _document(self, snapshot: Snapshot) -> None:
        """Make the OpenAPI documents of a snapshot, off the event loop; they are swapped in when made."""
        documents = await asyncio.to_thread(openapi_documents, snapshot)
        if self._snapshot is snapshot:
            self._documents = documents

    def _service(self, config: Config) -> Front:
        access_log = None
        if config.access_log.enabled:
            path = config.access_log.path
            sink = Sink(path if path == "-" else str(config.resolve(path)))
            self._lines = LineWriter(sink, self._metrics.access_log_dropped.inc)
            access_log = AccessLog(self._lines)
        policies = pipeline(config, self._metrics, LogAccess(self._metrics, access_log, time.monotonic))
        return front(lambda: self._serving, policies, time.monotonic, RequestIds(os.urandom))

    def _adopt(self, snapshot: Snapshot, pools: Pools) -> None:
        """Make a snapshot the current one; pools that it no longer names end when their calls have."""
        old, self._pools = self._pools, pools
        self._snapshot = snapshot
        self._routed = routed(snapshot.config, {name: pool for name, (_, pool) in pools.items()}, self._calls)
        described = (known.descriptor_set for known in snapshot.descriptions.values())
        own = local_services(self._health, snapshot.routes, described)
        self._serving = Serving(
            routes=snapshot.routes,
            upstreams={**self._routed, BUILTIN: own},
            apis=snapshot.apis,
            loading=snapshot.loading,
            trusted=snapshot.config.trusted_proxies,
            max_body_bytes=self._limits.max_body_bytes,
            stream_idle_timeout_s=self._limits.stream_idle_timeout,
            documents=lambda: self._documents,
        )
        for name, (_, pool) in old.items():
            if name not in pools or pools[name][1] is not pool:
                self._retire(pool)

    def _retire(self, pool: Pool) -> None:
        self._begin(self._outlive(pool, self._snapshot.config))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Something that goes on beside the serving; a drain waits for its end."""
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _outlive(self, pool: Pool, config: Config) -> None:
        """Close a pool of an earlier generation. A call of that generation may still be reading its body, and then needs it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(config.limits.body_timeout):
                await self._all_ended.wait()
        await pool.close(config.drain_timeout)

    async def _follow(self, config: Config) -> None:
        """Have the endpoints of upstreams told by whoever is to tell them."""
        pools = {name: pool for name, (_, pool) in self._pools.items()}
        if self._mesh is None and config.consul is not None:
            from edge.app.mesh import Mesh  # Consul's client and aiohttp are 20 MiB: only where there is a mesh

            self._mesh = Mesh(config, config.consul, registers=self._registers)
        elif self._mesh is not None and config.consul != self._mesh.given:
            _log.warning("a change takes effect at the next start only", section="consul")
        if self._mesh is not None:
            await self._mesh.follow(config, pools)
        if not await self._locating.follow(config, pools, self._consul_identity):
            _log.warning("a change takes effect at the next start only", section="identity")

    async def _consul_identity(self) -> CertificateSource:
        assert self._mesh is not None  # the configuration's checks: without `identity` it has consul.service
        return await self._mesh.identity()

    def _watch(self, snapshot: Snapshot) -> None:
        self._watches = Watches(
            snapshot.config, {name: pool for name, (_, pool) in self._pools.items()}, lambda: self._snapshot, self._swap
        )
        self._watches.start()

    def _swap(self, snapshot: Snapshot) -> None:
        """An upstream told something new of itself."""
        self._adopt(snapshot, self._pools)
        self._begin(self._document(snapshot))

    async def reload(self) -> None:
        """Load the configuration anew. Raises ProblemsError and keeps the old one when the new one is wrong."""
        config = await asyncio.to_thread(self._load)
        for section in _FIXED:
            if getattr(config, section) != getattr(self._snapshot.config, section):
                _log.warning("a change takes effect at the next start only", section=section)
        if self._watches is not None:
            await self._watches.stop()
        try:
            kept = {
                api.name: self._snapshot.descriptions[api.name]
                for api in config.apis
                if api.reflection is not None and api.name in self._snapshot.descriptions
            }
            snapshot = await asyncio.to_thread(load_snapshot, config, kept)
            pools = make_pools(config, self._pools)
            assert self._listening is not None  # it has started
            self._listening.renew()
            self._adopt(snapshot, pools)
            await self._follow(config)
            await self._document(snapshot)
        finally:
            self._watch(self._snapshot)

    async def drain(self, timeout_s: float) -> None:
        """Stop accepting, let calls finish for so long, cut off the rest, give everything back."""
        self._draining = True
        self._health.drain()
        began = asyncio.get_running_loop().time()
        if self._mesh is not None:
            await self._mesh.withdraw()
        timeout_s = max(0.0, timeout_s - (asyncio.get_running_loop().time() - began))  # a silent Consul took of it
        if self._watches is not None:
            await self._watches.stop()
        if self._listening is not None:
            await self._listening.drain(timeout_s)
        self._all_ended.set()
        await asyncio.gather(*self._beside, *(pool.close(0.0) for _, pool in self._pools.values()))
        await self._locating.close()
        if self._mesh is not None:
            await self._mesh.close()
        if self._admin is not None:
            await self._admin.close()
        self._metrics.close()
        if self._lines is not None:
            await self._lines.close()

    def reopen_logs(self) -> None:
        """Log files were moved away: open new ones."""
        if self._lines is not None:
            self._lines.reopen()

    def _reasons(self) -> list[str]:
        """Why calls cannot be served now; empty when they can."""
        if self._draining:
            return ["draining"]
        if self._listening is None or not self._listening.listeners:
            return ["starting"]
        unknown = [f"api {name}: waiting for its upstream's reflection" for name in self._snapshot.loading]
        faults = self._locating.faults() if self._mesh is None else {**self._mesh.faults(), **self._locating.faults()}
        unknown += [] if self._mesh is None else self._mesh.reasons()
        return unknown + [
            f"upstream {name}: {fault}" for name, fault in unserved(self._snapshot.config, faults).items()
        ]

    def _upstreams(self) -> object:
        """The admin page of pools and connections."""
        return [pool.state() for _, pool in self._pools.values()]

    def _ways(self) -> object:
        """The admin page of upstreams with several ways."""
        return [each.state() for each in several_ways(self._routed)]

    def _consul(self) -> object:
        """The admin page of what Consul tells, and what it was told."""
        return None if self._mesh is None else self._mesh.page()

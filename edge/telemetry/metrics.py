"""
The gateway's Prometheus metrics, in one process or summed over its workers.

Owns metric names and labels, and the bound on label values: APIs and RPCs come from the configuration, codes, statuses and
faults from closed tables, nothing from a client. Calls are counted in plain integers (`rpc_metrics`); `publish` moves them to
prometheus_client, because its counters cost a lock and, across processes, a memory-mapped write each: ten times as much.
Source: https://prometheus.io/docs/practices/naming/, https://prometheus.github.io/client_python/multiprocess/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from edge import __version__
from edge.outcome import Fault
from edge.routes import Target
from edge.telemetry.rpc_metrics import LATENCY_BOUNDS_S, RpcFamilies, RpcMetrics
from edge.telemetry.shared_metrics import SharedMetrics

PUBLISH_EVERY_S = 0.5
"""How stale one worker's figures may be in a scrape that another answers, and what a killed worker takes with it at most."""


class Metrics:
    """
    Every metric of one process.

    With `shared`, values live in files that all workers' scrapes read; create only one such object per process, before any
    other prometheus_client metric. Other parts may declare metrics of their own on `registry`.
    """

    def __init__(self, *, engine: str, shared: SharedMetrics | None = None) -> None:
        # Without: a second series per counter that nobody queries.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotations there
        if shared is not None:
            shared.install()
        self.registry = CollectorRegistry()
        self._shared = shared
        self._rpcs: dict[tuple[str, str, str], RpcMetrics] = {}
        self._changed: list[RpcMetrics] = []
        self._timer: asyncio.TimerHandle | None = None
        self._failed: dict[Fault, int] = {}
        self._reports: list[Callable[[], None]] = []
        self._open_connections: Callable[[], int] = lambda: 0
        self._families = _rpc_families(self.registry)
        self._declare(engine)

    def _declare(self, engine: str) -> None:
        registry = self.registry
        self._faults = Counter(
            "edge_faults", "Requests that ended in a fault of the gateway's table", ["fault"], registry=registry
        )
        self._connections = Gauge(
            "edge_connections", "Open downstream connections", registry=registry, multiprocess_mode="livesum"
        )
        by_worker = Gauge(
            "edge_worker_connections",
            "Open downstream connections of each worker",
            ["worker"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._own_connections = by_worker.labels(0 if self._shared is None else self._shared.slot)
        self.access_log_dropped = Counter(
            "edge_access_log_dropped_lines", "Access-log lines that could not be written", registry=registry
        )
        build = Gauge(
            "edge_build_info",
            "Version and engine; always 1",
            ["version", "engine"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        build.labels(__version__, engine).set(1)
        if self._shared is None:
            ProcessCollector(registry=registry)

    def of(self, target: Target | None) -> RpcMetrics:
        """The counts of a target's RPC; those of calls without one stand under empty labels."""
        # Three strings, not the target: they hash from their cache, and a reload's old targets are not kept alive by it.
        key = ("", "", "") if target is None else target.labels
        found = self._rpcs.get(key)
        if found is None:
            rpc = f"{key[1]}.{key[2]}" if key[1] else ""
            found = self._rpcs[key] = RpcMetrics(self._families, key[0], rpc, self._changed)
        return found

    def failed(self, fault: Fault) -> None:
        """Count a request that ended in a fault, whether or not it had become a call."""
        self._failed[fault] = self._failed.get(fault, 0) + 1

    def before_publishing(self, report: Callable[[], None]) -> None:
        """Have what counts in batches count what it holds, before each publication."""
        self._reports.append(report)

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Where to read the number of open downstream connections."""
        self._open_connections = count

    def publish(self) -> None:
        """Move what was counted since the last time to where scrapes read it. Run on the event loop's thread."""
        for report in self._reports:
            report()
        connections = self._open_connections()
        self._connections.set(connections)
        self._own_connections.set(connections)
        for fault, count in self._failed.items():
            self._faults.labels(fault.name).inc(count)
        self._failed.clear()
        changed = self._changed[:]
        self._changed.clear()
        for rpc in changed:
            rpc.publish()

    def start(self) -> None:
        """Publish on a period, so that other workers' scrapes see this one. Not needed in a single process."""
        self._timer = asyncio.get_running_loop().call_later(PUBLISH_EVERY_S, self._tick)

    def _tick(self) -> None:
        self.publish()
        self.start()

    def close(self) -> None:
        """Publish a last time and stop doing so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.publish()

    async def page(self, accept: str) -> tuple[str, bytes]:
        """The exposition in the format an Accept header asks for: its content type and its text."""
        self.publish()
        # On a thread: a page of thousands of RPCs takes longer than the event loop may be held up.
        return await asyncio.to_thread(self._render, accept)

    def _render(self, accept: str) -> tuple[str, bytes]:
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._scraped())

    def _scraped(self) -> CollectorRegistry:
        if self._shared is None:
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._shared.directory)  # type: ignore[no-untyped-call]  # the library has no annotations there
        return registry


def _rpc_families(registry: CollectorRegistry) -> RpcFamilies:
    """The metrics that exist once per API and RPC."""
    by_rpc = ["api", "rpc"]
    return RpcFamilies(
        requests=Counter(
            "edge_requests",
            "Calls by outcome: gRPC code and HTTP status",
            [*by_rpc, "dialect", "code", "status"],
            registry=registry,
        ),
        duration=Histogram(
            "edge_request_duration_seconds",
            "From a request's first byte to its answer's last",
            by_rpc,
            buckets=LATENCY_BOUNDS_S,
            registry=registry,
        ),
        upstream_duration=Histogram(
            "edge_upstream_duration_seconds",
            "What the upstream took of it, calls that reached one only",
            by_rpc,
            buckets=LATENCY_BOUNDS_S,
            registry=registry,
        ),
        in_flight=Gauge(
            "edge_requests_in_flight",
            "Calls admitted and not yet answered",
            by_rpc,
            registry=registry,
            multiprocess_mode="livesum",
        ),
        request_bytes=Counter("edge_request_bytes", "Request body bytes received", by_rpc, registry=registry),
        response_bytes=Counter("edge_response_bytes", "Response bytes sent", by_rpc, registry=registry),
    )

"""
The pods of a Service, kept current from its EndpointSlices.

Owns the thread: the official client blocks, so each upstream has one of its own, which lists, watches and backs off, and hands what it
hears to the loop. It is stopped by shutting down the socket it reads from, within its connect timeout at the latest. Whoever listens
is never told of a failure by an emptied set.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from edge.core.backoff import delay_s
from edge.core.endpoint_slices import Endpoints, PodQuery
from edge.core.slice_watch import MalformedError, SliceWatch, WatchAlarm
from edge.kubernetes.api import ApiError, ClusterAccess, OpenWatch, SliceApi

BACKOFF_INITIAL_S, BACKOFF_MAX_S = 0.5, 30.0
PAUSE_S = 0.2
"""Between two requests, however fast they end: a server that ends every watch at once is not asked in a tight loop."""

_log = structlog.get_logger("edge.kubernetes")

Publish = Callable[[tuple[tuple[str, int], ...]], None]


@dataclass(frozen=True, slots=True)
class SliceState:
    """A watch, for admin and metrics. `age_s` is None until the API server was heard."""

    service: str
    endpoints: tuple[tuple[str, int], ...]
    ready: bool
    """A set was once heard; it may be empty."""
    waiting: int
    """Pods listed that take no calls."""
    unusable: int
    """Entries without an address or the port asked for."""
    terminating: bool
    """No pod is ready: those that are leaving and still serve take the calls."""
    alarm: WatchAlarm | None
    reason: str
    age_s: float | None
    """Since the API server last confirmed the set; an open watch does so with each event or bookmark."""


class SliceDiscovery:
    """A Service as an upstream means it; made and used on the loop."""

    def __init__(
        self,
        access: ClusterAccess,
        namespace: str,
        service: str,
        query: PodQuery,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"{service}.{namespace}"
        self._where = (access, namespace, service)
        self._clock = clock
        self._watch = SliceWatch(query)
        self._seen: tuple[Endpoints | None, WatchAlarm | None, str, float | None] = (None, None, "", None)
        self._published: tuple[tuple[str, int], ...] | None = None
        self._publish: Publish = lambda _: None
        self._stopping = threading.Event()
        self._open: OpenWatch | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, publish: Publish) -> None:
        """Follow the Service; `publish` is called on this loop with each new set."""
        self._publish = publish
        loop = asyncio.get_running_loop()
        # A daemon: a process that must end is not held by a server that does not answer.
        self._thread = threading.Thread(target=self._run, args=(loop,), name=f"kubernetes {self.name}", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Follow it no longer, and leave no thread."""
        self._publish = lambda _: None
        self._stopping.set()
        with self._lock:
            if self._open is not None:
                self._open.shut()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def look(self) -> Endpoints:
        """One list, now and blocking, for who only wants to know. Raises ApiError or MalformedError."""
        api = SliceApi(*self._where)
        try:
            self._watch.listed(api.list(), self._clock())
        finally:
            api.close()
        found = self._watch.endpoints or Endpoints()
        self._seen = (found, None, "", self._watch.confirmed_at)
        return found

    def fault(self) -> str | None:
        """Why nothing is known of the Service, or None."""
        endpoints, _, reason, _ = self._seen
        return f"waiting for Kubernetes: {reason or 'no answer yet'}" if endpoints is None else None

    def why_none(self) -> str:
        """Why there is no endpoint."""
        endpoints = self._seen[0]
        if endpoints is None or not endpoints.unusable or endpoints.waiting:
            return f"Kubernetes knows no ready pod of {self.name}"
        return f"no pod of {self.name} has the port asked for"

    def state(self) -> SliceState:
        """The watch now."""
        endpoints, alarm, reason, confirmed = self._seen
        known = endpoints or Endpoints()
        age_s = None if confirmed is None else max(0.0, self._clock() - confirmed)
        return SliceState(
            self.name, known.places, endpoints is not None, known.waiting, known.unusable, known.terminating,
            alarm, reason, age_s,
        )  # fmt: skip

    # In the thread.

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        api: SliceApi | None = None
        failures = 0
        while not self._stopping.is_set():
            failed = True
            try:
                api = api or SliceApi(*self._where)
                watched = self._step(api, loop)
                failed = self._watch.alarm is not None
                if watched and not failed:  # a list alone proves little: the watch may be refused
                    failures = 0
            except ApiError as error:
                if not self._stopping.is_set():  # else we have ended it ourselves
                    self._watch.failed(error.status, str(error))
            except MalformedError as error:
                self._watch.malformed(str(error))
            except Exception as error:  # noqa: BLE001  # a bug of ours: the last set stays, and the watch must go on
                _log.exception("a watch broke inside the gateway", service=self.name)
                self._watch.malformed(f"internal: {error!r}")
            failed = failed or self._watch.version is None
            failures += failed
            self._tell(loop)
            rand = random.random()  # noqa: S311  # spreads load, guards nothing
            backoff_s = delay_s(max(1, failures), initial_s=BACKOFF_INITIAL_S, max_s=BACKOFF_MAX_S, rand=rand)
            self._stopping.wait(backoff_s if failed else PAUSE_S)
        if api is not None:
            api.close()

    def _step(self, api: SliceApi, loop: asyncio.AbstractEventLoop) -> bool:
        """One request and all that comes of it; whether it was a watch."""
        if self._watch.version is None:
            self._watch.listed(api.list(), self._clock())
            return False
        opened = api.watch(self._watch.version)
        with self._lock:
            self._open = opened
        try:
            if self._stopping.is_set():
                return True
            self._watch.watching(self._clock())
            self._tell(loop)
            for event in opened.events():
                self._watch.heard(event, self._clock())
                self._tell(loop)
                if self._watch.version is None:
                    break
        finally:
            with self._lock:
                self._open = None
            opened.close()
        return True

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        watch = self._watch
        seen = (watch.endpoints, watch.alarm, watch.reason, watch.confirmed_at)
        with suppress(RuntimeError):  # the loop is gone, and so is everybody who listens
            loop.call_soon_threadsafe(self._take, seen)

    # On the loop.

    def _take(self, seen: tuple[Endpoints | None, WatchAlarm | None, str, float | None]) -> None:
        before, self._seen = self._seen, seen
        endpoints, alarm, reason, _ = seen
        if alarm is not before[1]:
            self._log_change(alarm, reason, known=endpoints is not None)
        if endpoints is not None and endpoints.places != self._published:
            self._published = endpoints.places
            self._publish(endpoints.places)

    def _log_change(self, alarm: WatchAlarm | None, reason: str, *, known: bool) -> None:
        if alarm is None:
            _log.info("Kubernetes answers again", service=self.name)
            return
        event = "the last good endpoints are kept" if known else "Kubernetes does not tell the endpoints"
        _log.warning(event, service=self.name, alarm=alarm.value, reason=reason)

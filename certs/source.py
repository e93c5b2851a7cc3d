"""
Where our identity comes from: the interface of all sources, and what each of them publishes.

Owns what happens when a source goes bad: the last good identity stays, the reason stands in `fault`, and watchers hear of each
change once. Only a source that was told to stop using its identity withdraws it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from certs.identity import Identity

_log = structlog.get_logger("certs")

_MAX_REASONS = 16
"""Of one outage that are remembered as said."""

Watcher = Callable[[], None]
"""Called on the loop's thread after a change; looks at the source itself. Must not raise."""


class CertificateSource(Protocol):
    """Gives the newest identity. `start` begins to look and returns at once; an identity may come later."""

    @property
    def name(self) -> str:
        """For logs: which source it is."""

    def current(self) -> Identity | None:
        """The newest good identity; it may have expired."""

    def fault(self) -> str | None:
        """Why the last attempt to get one failed, or None."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have `watcher` called after each change of `current`; returns what ends that."""

    async def start(self) -> None:
        """Begin. Never raises for what the world holds."""

    async def stop(self) -> None:
        """End, and leave no task or thread."""


def readiness_fault(source: CertificateSource, now: float) -> str | None:
    """Why no connection can be made with this source's identity at `now` (Unix seconds), or None."""
    identity = source.current()
    if identity is None:
        return f"no certificate from {source.name}: {source.fault() or 'none has come yet'}"
    if now >= identity.not_after:
        reason = source.fault()
        return f"the certificate from {source.name} has expired{f': {reason}' if reason else ''}"
    return None


class Watchers:
    """Who is told of changes."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []

    def add(self, watcher: Watcher) -> Callable[[], None]:
        """Have `watcher` called after each change; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def tell(self) -> None:
        """Something changed."""
        for watcher in tuple(self._watchers):
            watcher()


class Publication:
    """The `current`, `fault` and `watch` of a source, for it to publish into."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._identity: Identity | None = None
        self._fault: str | None = None
        self._said: set[str] = set()
        self._watchers = Watchers()
        self.watch = self._watchers.add

    def current(self) -> Identity | None:
        """As in CertificateSource."""
        return self._identity

    def fault(self) -> str | None:
        """As in CertificateSource."""
        return self._fault

    def publish(self, identity: Identity) -> None:
        """A good identity. One equal to the last tells nobody."""
        self._fault = None
        self._said.clear()
        if identity == self._identity:
            return
        _log.info(
            "certificate_received",
            source=self.name,
            spiffe_id=str(identity.spiffe_id),
            not_after=identity.not_after,
            serial=f"{identity.serial:x}",
            trust_domains=sorted(identity.trust_domains),
        )
        self._identity = identity
        self._watchers.tell()

    def reject(self, reason: str) -> None:
        """What came cannot be used: keep the last good one, and say why, once."""
        self._fault = reason
        if reason in self._said:  # a source of two parts has two reasons, in turns
            return
        if len(self._said) >= _MAX_REASONS:
            self._said.clear()
        self._said.add(reason)
        kept = self._identity.not_after if self._identity else None
        _log.error("certificate_rejected", source=self.name, reason=reason, kept_until=kept)

    def broke(self, error: Exception) -> None:
        """A bug of ours: looking must go on all the same, or the certificate would quietly run out in some days."""
        _log.error("certificate_source_broke", source=self.name, exc_info=error)
        self._fault = f"internal: {error!r}"

    def withdraw(self, reason: str) -> None:
        """The identity is not ours any more."""
        self._fault = reason
        if self._identity is not None:
            _log.error("certificate_withdrawn", source=self.name, reason=reason)
            self._identity = None
            self._watchers.tell()


class Following(Publication, ABC):
    """A source that one task keeps current, from `start` to `stop`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _run(self) -> None:
        """Look for new identities until cancelled."""

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"certificates: {self.name}")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

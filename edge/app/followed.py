"""
An upstream whose endpoints Consul tells: its watch, and what a set of instances means for its pool.

Owns that the pool has the last set that may be believed, each endpoint with the identity to expect there. No set, and in the mesh no
identity of ours, is no endpoint: calls wait a moment at the start and are refused then, with the reason. The watch is started again
should it break.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

import structlog

from certs.source import CertificateSource
from edge.app.mesh_peers import MeshPeers
from edge.config.consul_models import UpstreamConsul
from edge.consul.client import ConsulClient
from edge.consul.discovery import ServiceWatch, WatchState
from edge.consul.lookup import Lookup
from edge.consul.query import Manners
from edge.core.consul_instances import Instance
from edge.upstream.endpoint import Dialled
from edge.upstream.pool import Pool

HOLD_S = 5.0
"""How long calls wait for the first set: Consul answers in milliseconds, our first certificate takes some seconds at worst."""

_RESTART_S = 5.0

_log = structlog.get_logger("edge.consul")


class Followed:
    """One upstream. `source` gives our identity where the dial needs one."""

    def __init__(
        self,
        name: str,
        given: UpstreamConsul,
        lookup: Lookup,
        client: ConsulClient,
        manners: Manners,
        source: CertificateSource | None,
    ) -> None:
        self.name = name
        self.given = given
        self._make = partial(ServiceWatch, client, lookup, self._heard, manners)
        self._watch = self._make()
        self._pool: Pool | None = None
        self._instances: tuple[Instance, ...] | None = None
        self._placed_in: str | None = None
        self.peers = (
            None if source is None else MeshPeers(source, lambda why: self._pool and self._pool.drain_where(why))
        )
        self._forget = source.watch(self._identified) if source is not None else lambda: None
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"consul upstream {name}")

    def serve(self, pool: Pool) -> None:
        """From now on the endpoints are this pool's; one of before keeps those it has."""
        if pool is self._pool:
            return
        self._pool = pool
        pool.seek(HOLD_S, self.why_none)
        self._place()

    def why_none(self) -> str:
        """Why there is no endpoint."""
        return self.fault() or f"Consul knows no healthy instance of {self._watch.state().service}"

    def fault(self) -> str | None:
        """Why calls cannot be served at all, or None: readiness."""
        state = self._watch.state()
        if not state.ready and self._instances is None:
            return f"waiting for Consul: {state.reason or 'no answer yet'}"
        return None if self.peers is None else self.peers.fault()

    def state(self) -> WatchState:
        """The watch now."""
        return self._watch.state()

    async def stop(self) -> None:
        """Follow no longer."""
        self._forget()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def close(self) -> None:
        """The pool has no connections any more."""
        if self.peers is not None:
            self.peers.close()

    async def _run(self) -> None:
        while True:
            try:
                await self._watch.run()
            except Exception:  # noqa: BLE001  # a bug of ours: the last set stays, and the watch must go on
                _log.exception("a watch broke inside the gateway", upstream=self.name)
                await asyncio.sleep(_RESTART_S)
                self._watch = self._make()

    def _heard(self, instances: tuple[Instance, ...]) -> None:
        self._instances = instances
        self._place()

    def _identified(self) -> None:
        """We have another certificate; in another trust domain, services are called otherwise."""
        if self.peers is not None and self.peers.trust_domain not in (None, self._placed_in):
            self._place()

    def _place(self) -> None:
        if self._instances is None or self._pool is None:
            return
        if self.peers is None:
            self._pool.replace(_merged(Dialled(each.address, each.port, each.weight) for each in self._instances))
            return
        trust_domain = self.peers.trust_domain or self._placed_in
        if trust_domain is not None:
            self._placed_in = trust_domain
            self._pool.replace(_merged(_in_mesh(each, trust_domain, self.peers) for each in self._instances))
            self.peers.retain([_expected(each, trust_domain) for each in self._instances])


def _expected(instance: Instance, trust_domain: str) -> tuple[str, ...]:
    return instance.spiffe_ids or (instance.identity.spiffe_id(trust_domain),)


def _in_mesh(instance: Instance, trust_domain: str, peers: MeshPeers) -> Dialled:
    ids = _expected(instance, trust_domain)
    security = peers.security(ids, instance.sni)
    return Dialled(instance.address, instance.port, instance.weight, (*sorted(ids), instance.sni), security)


def _merged(endpoints: Iterable[Dialled]) -> list[Dialled]:
    """Each once: an address that Consul lists under several IDs takes the calls of all of them."""
    found: dict[Dialled, int] = {}
    for each in endpoints:
        found[each] = found.get(each, 0) + each.weight
    return [Dialled(each.host, each.port, weight, each.expects, each.security) for each, weight in found.items()]

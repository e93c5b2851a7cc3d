"""
An upstream outside Consul whose endpoints change, or whose services are known by SPIFFE ID: its places, and what they mean for its pool.

Owns that the pool has the last places that were heard, each to be reached only by whom the section says. While none was heard, or we
have no certificate yet, calls wait a moment and are refused then, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from certs.source import CertificateSource
from edge.app.mesh_peers import MeshPeers
from edge.config.kubernetes_models import Kubernetes
from edge.config.upstream_models import Upstream
from edge.upstream.endpoint import Dialled
from edge.upstream.pool import Pool

HOLD_S = 5.0
"""How long calls wait for the first places, and for our first certificate."""

Places = tuple[tuple[str, int], ...]


Given = tuple[Upstream, Kubernetes | None]
"""What it was made from: its section of the file, and that of the cluster."""


class PlaceSource(Protocol):
    """Who tells the places: `edge.upstream.name_lookup`, `edge.kubernetes.discovery`, or the file itself."""

    def start(self, publish: Callable[[Places], None]) -> None:
        """Begin; `publish` is called on the loop with each new set."""

    async def stop(self) -> None:
        """End, and leave no task or thread."""

    def fault(self) -> str | None:
        """Why nothing is known, or None."""

    def why_none(self) -> str:
        """Why there is no place."""

    def state(self) -> object:
        """For the admin listener."""


class Written:
    """A PlaceSource for what the file says."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def start(self, publish: Callable[[Places], None]) -> None:
        """As in PlaceSource."""
        publish(self._places)

    async def stop(self) -> None:
        """As in PlaceSource."""

    def fault(self) -> str | None:
        """As in PlaceSource."""
        return None

    def why_none(self) -> str:
        """As in PlaceSource."""
        return "our certificate has not come"

    def state(self) -> object:
        """As in PlaceSource."""
        return {"endpoints": self._places}


class Located:
    """One upstream. `identity` gives our certificate where its section names SPIFFE IDs."""

    def __init__(self, given: Given, places: PlaceSource, identity: CertificateSource | None) -> None:
        self.given = given
        upstream, _ = given
        self.source = places
        self._pool: Pool | None = None
        self._places: Places | None = None
        self._identified = identity is None
        self._ids = tuple(sorted((upstream.tls and upstream.tls.spiffe_ids) or ()))
        self._server_name = (upstream.tls and upstream.tls.server_name) or ""
        self.peers = (
            None if identity is None else MeshPeers(identity, lambda why: self._pool and self._pool.drain_where(why))
        )
        self._forget = identity.watch(self._identity_changed) if identity is not None else lambda: None
        self._identity_changed()
        places.start(self._heard)

    def serve(self, pool: Pool) -> None:
        """From now on the endpoints are this pool's; one of before keeps those it has."""
        if pool is self._pool:
            return
        self._pool = pool
        pool.seek(HOLD_S, self._why_none)
        self._place()

    def fault(self) -> str | None:
        """Why calls cannot be served at all, or None: readiness."""
        unknown = self.source.fault() if self._places is None else None
        return unknown or (None if self.peers is None else self.peers.fault())

    async def stop(self) -> None:
        """Follow no longer."""
        self._forget()
        await self.source.stop()

    def close(self) -> None:
        """The pool has no connections any more."""
        if self.peers is not None:
            self.peers.close()

    def _why_none(self) -> str:
        return self.fault() or self.source.why_none()

    def _heard(self, places: Places) -> None:
        self._places = places
        self._place()

    def _identity_changed(self) -> None:
        if not self._identified and self.peers is not None and self.peers.trust_domain is not None:
            self._identified = True
            self._place()

    def _place(self) -> None:
        if self._places is None or self._pool is None or not self._identified:
            return
        self._pool.replace([self._dialled(host, port) for host, port in self._places])

    def _dialled(self, host: str, port: int) -> Dialled:
        if self.peers is None:
            return Dialled(host, port)
        return Dialled(
            host, port, 1, (*self._ids, self._server_name), self.peers.security(self._ids, self._server_name)
        )

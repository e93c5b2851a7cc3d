"""
Whom an upstream's connections in a mesh may reach: TLS contexts that present our leaf and let nobody but the service meant answer.

Owns that each set of expected SPIFFE IDs has contexts of its own, so that a certificate that is good for one endpoint proves nothing
at another, and that connections end before what they were made with does: asked of each when an identity comes, and when one is due.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Collection

from certs.generation import generation_of
from certs.leaf import Side
from certs.peer import Peer, PeerRules
from certs.rotation import RotatingContexts
from certs.source import CertificateSource, readiness_fault
from certs.spiffe import SpiffeId, SpiffeIdError
from edge.upstream.connection import Connection
from edge.upstream.dial import PeerCheck, Security, alpn_fault

_AGAIN_S = 1.0
"""Between two looks at connections that are due, at the least: those with calls on them take their time."""

DrainWhere = Callable[[Callable[[Connection], str | None]], object]


class MeshPeers:
    """The services one upstream's endpoints are. `drain_where` is its pool's."""

    def __init__(self, source: CertificateSource, drain_where: DrainWhere) -> None:
        self._source = source
        self._drain_where = drain_where
        self._contexts: dict[frozenset[SpiffeId], RotatingContexts] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.watch = source.watch

    @property
    def trust_domain(self) -> str | None:
        """The mesh's, once we are somebody in it."""
        identity = self._source.current()
        return None if identity is None else identity.spiffe_id.trust_domain

    @property
    def generation(self) -> int:
        """How often our identity has changed under these connections."""
        return max((each.current.number for each in self._contexts.values() if each.current), default=0)

    def fault(self) -> str | None:
        """Why no connection can be made to some of them now, or None."""
        ours = readiness_fault(self._source, time.time())
        return ours or next((reason for each in self._contexts.values() if (reason := each.fault())), None)

    def security(self, expected: Collection[str], server_name: str) -> Security:
        """How an endpoint is dialled at which one of these SPIFFE IDs is to answer."""
        try:
            ids = frozenset(SpiffeId.parse(each) for each in expected)
        except SpiffeIdError as error:
            return refusing(f"the identity to expect is none: {error}")
        contexts = self._contexts.get(ids)
        if contexts is None:
            contexts = self._contexts[ids] = RotatingContexts(self._source, PeerRules(Side.UPSTREAM, ids))
            contexts.watch(self._drain)
            self._arm()
        return Security(contexts.context, server_name or None, _check(contexts), by_uri=True, fault=contexts.fault)

    def retain(self, expected: Collection[Collection[str]]) -> None:
        """Forget contexts for anyone else."""
        wanted = {frozenset(each) for each in expected}
        for ids in [ids for ids in self._contexts if frozenset(map(str, ids)) not in wanted]:
            self._contexts.pop(ids).close()

    def close(self) -> None:
        """Watch our identity no longer."""
        self.retain(())
        if self._timer is not None:
            self._timer.cancel()

    def _drain(self) -> None:
        """Have connections end that must; nothing running on them is cut off."""
        self._drain_where(self._reason)
        self._arm()

    def _reason(self, connection: Connection) -> str | None:
        session = connection.tls
        generation = None if session is None else generation_of(session)
        if generation is None or generation.rules.expected is None:
            return None
        contexts = self._contexts.get(generation.rules.expected)
        return None if contexts is None else contexts.drain_reason(generation)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        dates = [due for each in self._contexts.values() if (due := each.next_drain_s()) is not None]
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(_AGAIN_S, min(dates)), self._drain) if dates else None


def _check(contexts: RotatingContexts) -> PeerCheck:
    def check(transport: asyncio.BaseTransport) -> str | None:
        session: ssl.SSLObject = transport.get_extra_info("ssl_object")
        if (fault := alpn_fault(session)) is not None:
            return fault
        found = contexts.verify(session)
        return None if isinstance(found, Peer) else str(found)

    return check


def refusing(reason: str) -> Security:
    """Security that lets no connection be made: where nobody is known who could be expected."""
    return Security(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), None, lambda _: reason, fault=lambda: reason)

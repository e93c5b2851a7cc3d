"""
The worker's upstreams outside Consul that have to be found or identified, and our certificate from files or the Workload API.

Owns their lives: an upstream whose section is the same keeps its watch across reloads, our certificate is asked for only when some
upstream is dialled with it, and all of it ends after the pools that use it. Where the file has no `identity`, Consul's is used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from certs.source import CertificateSource
from edge.app.cluster import slice_discovery
from edge.app.identity import certificate_page, identity_source
from edge.app.located import Located, PlaceSource, Written
from edge.config.identity_models import Identity
from edge.config.models import Config, Upstream
from edge.config.ways import pooled
from edge.upstream.name_lookup import NameLookup
from edge.upstream.pool import Pool

ConsulIdentity = Callable[[], Awaitable[CertificateSource]]


class Locating:
    """Made inside a running loop."""

    def __init__(self) -> None:
        self.located: dict[str, Located] = {}
        self._retired: list[Located] = []
        self._given: Identity | None = None
        self.presents: CertificateSource | None = None
        """The source of our certificate that `identity` names, where one is used."""

    async def follow(self, config: Config, pools: Mapping[str, Pool], consul: ConsulIdentity) -> bool:
        """
        Give these pools their endpoints. What an earlier configuration followed and this does not is followed no longer.

        False when `identity` changed, which takes effect at the next start only.
        """
        kept = self.presents is None or self._given == config.identity
        old, self.located = self.located, {}
        for name, upstream in pooled(config).items():
            if not upstream.located:
                continue
            known = old.get(name)
            given = (upstream, config.kubernetes if upstream.kubernetes else None)
            if known is None or known.given != given:
                identity = await self._identity(config, consul) if upstream.by_spiffe_id else None
                known = Located(given, _places(config, upstream), identity)
            else:
                del old[name]
            self.located[name] = known
            known.serve(pools[name])
        for each in old.values():
            await each.stop()
            self._retired.append(each)  # its pool may still have calls
        return kept

    async def _identity(self, config: Config, consul: ConsulIdentity) -> CertificateSource:
        if self.presents is not None:
            return self.presents
        if config.identity is None:
            return await consul()
        self._given = config.identity
        self.presents = identity_source(config, config.identity)
        await self.presents.start()
        return self.presents

    def faults(self) -> dict[str, str]:
        """Why endpoints are not known, or cannot be dialled, by the pool's name."""
        faults = ((name, each.fault()) for name, each in self.located.items())
        return {name: fault for name, fault in faults if fault is not None}

    async def close(self) -> None:
        """The pools are closed: end everything."""
        for each in self.located.values():
            await each.stop()
        for each in (*self.located.values(), *self._retired):
            each.close()
        if self.presents is not None:
            await self.presents.stop()

    def page(self) -> dict[str, object]:
        """What the admin listener shows."""
        upstreams = {name: each.source.state() for name, each in self.located.items()}
        return {"upstreams": upstreams, "certificate": certificate_page(self.presents)}


def _places(config: Config, upstream: Upstream) -> PlaceSource:
    given = upstream.kubernetes
    if given is not None:
        return slice_discovery(config, given)
    written = tuple((address.host, address.port) for address in upstream.endpoints)
    return NameLookup(written, upstream.dns_refresh) if upstream.dns == "strict" else Written(written)

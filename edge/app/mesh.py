"""
The worker's part in a Consul mesh: one client of the agent, one source of our certificate, a watch per upstream found there.

Owns their lives: an upstream whose section is the same keeps its watch across reloads, our certificate is asked for only when some
upstream is dialled with it, and all of it ends after the pools that use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from certs.consul_connect import ConsulConnectSource
from edge.app.connect_agent import connect_source
from edge.app.followed import Followed
from edge.app.identity import certificate_page
from edge.app.mesh_inbound import MeshInbound
from edge.config.consul_models import Consul
from edge.config.models import Config
from edge.config.ways import pooled
from edge.consul.client import ConsulClient
from edge.consul.registration import Registration
from edge.consul.settings import agent_of, gateway_definition, lookup_of, manners_of
from edge.upstream.pool import Pool


class Mesh:
    """Made inside a running loop, of a configuration with a `consul` section. `registers`: the gateway itself, too."""

    def __init__(self, config: Config, consul: Consul, *, registers: bool = False) -> None:
        self.given = consul
        self.client = ConsulClient(agent_of(config, consul))
        self._manners = manners_of(consul)
        self.source = None if consul.service is None else connect_source(self.client, consul.service)
        self._source_runs = False
        self.followed: dict[str, Followed] = {}
        self._retired: list[Followed] = []
        definition = gateway_definition(config) if registers else None
        self.registration = None if definition is None else Registration(self.client, definition)
        self._kept: asyncio.Task[None] | None = None
        self.inbound: MeshInbound | None = None

    async def be_called(self) -> MeshInbound:
        """Listeners serve the mesh: what they need of it, the same for all of them."""
        if self.inbound is None:
            assert self.given.service is not None  # a configuration with such a listener says who we are
            self.inbound = MeshInbound(self.given.service, self.client, self._manners, await self.identity())
        return self.inbound

    async def follow(self, config: Config, pools: Mapping[str, Pool]) -> None:
        """Give these pools their endpoints. What an earlier configuration followed and this does not is followed no longer."""
        old, self.followed = self.followed, {}
        for name, upstream in pooled(config).items():
            given = upstream.consul
            lookup = None if given is None else lookup_of(given)
            if given is None or lookup is None:
                continue
            known = old.get(name)
            if known is None or known.given != given:
                source = await self.identity() if given.by_identity else None
                known = Followed(name, given, lookup, self.client, self._manners, source)
            else:
                del old[name]
            self.followed[name] = known
            known.serve(pools[name])
        for each in old.values():
            await each.stop()
            self._retired.append(each)  # its pool may still have calls

    async def identity(self) -> ConsulConnectSource:
        """The source of our certificate, which is asked for from now on."""
        assert self.source is not None  # a configuration whose upstreams need it says who we are
        if not self._source_runs:
            self._source_runs = True
            await self.source.start()
        return self.source

    @property
    def presents(self) -> ConsulConnectSource | None:
        """The source of our certificate, where one is used."""
        return self.source if self._source_runs else None

    def register(self) -> None:
        """Calls can be served: tell the mesh, and keep telling it."""
        if self.registration is not None:
            self._kept = asyncio.get_running_loop().create_task(self.registration.keep(), name="consul registration")

    async def withdraw(self) -> None:
        """First thing of a drain: others must not be sent here any more."""
        if self._kept is None or self.registration is None:
            return
        self._kept.cancel()
        await asyncio.gather(self._kept, return_exceptions=True)
        self._kept = None
        await self.registration.leave()

    def faults(self) -> dict[str, str]:
        """Why endpoints are not known, or cannot be dialled, by the pool's name."""
        faults = ((name, each.fault()) for name, each in self.followed.items())
        return {name: fault for name, fault in faults if fault is not None}

    def reasons(self) -> list[str]:
        """Why the mesh cannot call us, for readiness."""
        called = None if self.inbound is None else self.inbound.fault()
        return [] if called is None else [f"mesh listener: {called}"]

    async def close(self) -> None:
        """The pools are closed: end everything."""
        for each in self.followed.values():
            await each.stop()
        for each in (*self.followed.values(), *self._retired):
            each.close()
        if self.inbound is not None:
            await self.inbound.close()
        if self._source_runs and self.source is not None:
            await self.source.stop()
        await self.client.close()

    def page(self) -> dict[str, object]:
        """What the admin listener shows."""
        return {
            "upstreams": {name: each.state() for name, each in self.followed.items()},
            "registration": None if self.registration is None else self.registration.state(),
            "certificate": certificate_page(self.presents),
            "intentions": None if self.inbound is None else self.inbound.page(),
        }

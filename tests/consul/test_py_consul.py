"""
py-consul itself, with its own transport, as an independent client of the double: what it understands, the double says rightly.

Where the real Consul is built, the same calls are made of it.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable

import consul
import consul.aio

from tests.consul.scenes import Peer


async def test_services_checks_health_and_config(peer: Peer, unique: Callable[[str], str]) -> None:
    """Register, report, look up, compare and set, intend: by py-consul's asyncio client."""
    name = unique("web")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of aiohttp
        client = consul.aio.Consul(port=int(peer.url.rsplit(":", 1)[1]), verify=False)
    check = consul.Check.ttl("30s")
    assert await client.agent.service.register(name, f"{name}-1", "127.0.0.1", 8001, ["a"], check, meta={"v": "1"})
    index, entries = await client.health.service(name)
    for _ in range(100):
        if entries:
            break
        await asyncio.sleep(0.05)
        index, entries = await client.health.service(name)
    assert int(index) >= 1
    assert [(each["Service"]["Port"], each["Service"]["Tags"]) for each in entries] == [(8001, ["a"])]
    _, passing = await client.health.service(name, passing=True)
    assert passing == []
    assert await client.agent.check.ttl_pass(f"service:{name}-1")
    for _ in range(100):
        _, passing = await client.health.service(name, passing=True)
        if passing:
            break
        await asyncio.sleep(0.05)
    assert len(passing) == 1
    assert name in (await client.catalog.services())[1]
    assert (await client.agent.services())[f"{name}-1"]["Port"] == 8001
    waiting = asyncio.create_task(client.health.service(name, index=index, wait="10s"))
    assert await client.agent.service.deregister(f"{name}-1")
    await asyncio.wait_for(waiting, 15)

    assert await client.config.set("service-defaults", name, {"Protocol": "grpc"}, cas=0)
    assert not await client.config.set("service-defaults", name, {"Protocol": "http"}, cas=0)
    assert (await client.config.get("service-defaults", name))["Protocol"] == "grpc"
    assert (await client.discovery_chain.get(name))["Chain"]["Protocol"] == "grpc"
    assert await client.connect.intentions.upsert("api", name, action="allow")
    assert await client.connect.intentions.check("api", name)
    assert [each["SourceName"] for each in (await client.connect.intentions.match("destination", name))[name]] == [
        "api"
    ]
    assert await client.connect.intentions.delete("api", name)
    assert await client.config.delete("service-defaults", name)
    roots = await client.agent.connect.ca.roots()
    leaf = await client.agent.connect.ca.leaf(name)
    assert leaf["ServiceURI"] == f"spiffe://{roots['TrustDomain']}/ns/default/dc/dc1/svc/{name}"
    await client.close()

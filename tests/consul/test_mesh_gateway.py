"""
Another datacenter through mesh gateways: two real agents joined over the WAN, Envoys as gateways and as the sidecar.

The running gateway knows the agent of dc1 alone. TLS runs from it to the sidecar in dc2; what stands between reads the server name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.consul.mesh_gateways import mesh_gateway, register_gateway
from tests.consul.scenes import asked
from tests.consul.sidecars import register_with_sidecar, sidecar_of
from tests.consul.test_gateway import SHELF
from tests.consul.test_native_dial import native
from tests.gateway import running
from tests.peers.consul_agent import ConsulAgent, running_agent
from tests.peers.envoy import envoy_binary
from tests.peers.ports import free_port
from tests.upstreams.recorder import Recorder

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.timeout(240),
    pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup"),
]


@dataclass
class Wan:
    """Two datacenters; `shop` runs in dc2, behind a sidecar on `sidecar_port`."""

    dc1: ConsulAgent
    dc2: ConsulAgent
    trust_domain: str
    shop: Recorder
    sidecar_port: int

    def name(self, service: str = "shop", datacenter: str = "dc2") -> str:
        """The server name of a service."""
        return f"{service}.default.{datacenter}.internal.{self.trust_domain}"


@pytest.fixture
async def wan(real_folder: Path) -> AsyncIterator[Wan]:
    """Joined, with one CA, the service registered in dc2."""
    with (
        running_agent(real_folder / "dc1", wide=True) as dc1,
        running_agent(real_folder / "dc2", datacenter="dc2", primary=dc1) as dc2,
    ):
        _, roots, _ = await asked(dc1, "GET", "/v1/agent/connect/ca/roots")
        for _ in range(600):
            status, leaf, _ = await asked(dc2, "GET", "/v1/agent/connect/ca/leaf/shop")
            if status == 200 and roots["TrustDomain"] in leaf["ServiceURI"]:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(leaf)
        async with Recorder() as shop:
            found = Wan(dc1, dc2, roots["TrustDomain"], shop, free_port())
            await register_with_sidecar(dc2, "shop", shop.port, found.sidecar_port)
            yield found


@asynccontextmanager
async def gateways(wan: Wan, folder: Path, leads_to: dict[str, int]) -> AsyncIterator[tuple[int, int]]:
    """One in each datacenter; what the one of dc2 leads to. The port of dc1's, and of dc2's for the WAN."""
    ours, theirs = free_port(), free_port()
    await register_gateway(wan.dc1, ours, 1)
    await register_gateway(wan.dc2, 1, theirs)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(mesh_gateway(folder / "gateway-dc2", theirs, leads_to))
        to_dc2 = {f"*.default.dc2.internal.{wan.trust_domain}": theirs}
        await stack.enter_async_context(mesh_gateway(folder / "gateway-dc1", ours, to_dc2))
        yield ours, theirs


def dialled(folder: Path, wan: Wan, dial: str = "mesh-gateway", **more: Any) -> dict[str, Any]:
    """The bookstore is the shop of dc2, as the agent of dc1 tells it."""
    given = native(folder, wan.dc1, "edge", "shop")
    given["upstreams"]["bookstore"]["consul"] = {"service": "shop", "datacenter": "dc2", "dial": dial, **more}
    return given


async def test_a_service_of_another_datacenter(wan: Wan, tmp_path: Path) -> None:
    """Our datacenter's gateway is dialled, dc2's passes on to the sidecar, whose identity says dc2."""
    async with (
        gateways(wan, tmp_path, {wan.name(): wan.sidecar_port}) as (ours, _),
        sidecar_of(wan.dc2, "shop", wan.shop.port, "edge", tmp_path / "sidecar", wan.sidecar_port),
        running(tmp_path, dialled(tmp_path, wan)) as gateway,
        gateway.client() as client,
    ):
        answer = await client.get(SHELF)
        assert answer.status_code == 200, (answer.text, await gateway.logged(SHELF))
        assert len(wan.shop.calls) == 1
        pool = gateway.gateway._pools["bookstore"][1]
        assert [each.port for each in pool._slots._endpoints] == [ours]
        (key,) = pool._slots._keys
        assert set(key.expects) == {f"spiffe://{wan.trust_domain}/ns/default/dc/dc2/svc/shop", wan.name()}


async def test_straight_to_the_other_datacenters_gateway(wan: Wan, tmp_path: Path) -> None:
    """`remote` in proxy-defaults: dc2's gateway at its WAN address, with the same server name and identity."""
    entry = {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": "remote"}}
    status, told, _ = await asked(wan.dc1, "PUT", "/v1/config", entry)
    assert status == 200, told
    async with (
        gateways(wan, tmp_path, {wan.name(): wan.sidecar_port}) as (_, theirs),
        sidecar_of(wan.dc2, "shop", wan.shop.port, "edge", tmp_path / "sidecar", wan.sidecar_port),
        running(tmp_path, dialled(tmp_path, wan, "native")) as gateway,
        gateway.client() as client,
    ):
        answer = await client.get(SHELF)
        assert answer.status_code == 200, (answer.text, await gateway.logged(SHELF))
        assert [each.port for each in gateway.gateway._pools["bookstore"][1]._slots._endpoints] == [theirs]


async def test_a_gateway_that_leads_astray(wan: Wan, tmp_path: Path) -> None:
    """Another service, and the same one of another datacenter: refused with the identity that was found, before a byte of a call."""
    other, of_dc1 = free_port(), free_port()
    for port, peer, service in ((other, wan.dc2, "billing"), (of_dc1, wan.dc1, "shop")):
        folder = tmp_path / f"astray-{port}"
        async with (
            gateways(wan, folder, {wan.name(): port}),
            sidecar_of(peer, service, wan.shop.port, "edge", folder, port),
            running(folder, dialled(folder, wan)) as gateway,
            gateway.client() as client,
        ):
            assert (await client.get(SHELF)).status_code == 503
            said = str(await gateway.logged(SHELF))
            assert f"/dc/{peer.datacenter}/svc/{service}" in said, said
    assert wan.shop.calls == []


async def test_a_server_name_no_gateway_knows(wan: Wan, tmp_path: Path) -> None:
    """The gateway of dc2 leads to nothing under that name: refused, and said."""
    async with (
        gateways(wan, tmp_path, {wan.name("billing"): wan.sidecar_port}),
        sidecar_of(wan.dc2, "shop", wan.shop.port, "edge", tmp_path / "sidecar", wan.sidecar_port),
        running(tmp_path, dialled(tmp_path, wan)) as gateway,
        gateway.client() as client,
    ):
        assert (await client.get(SHELF)).status_code == 503
        assert wan.shop.calls == []


async def test_a_gateway_of_the_second_datacenter(wan: Wan, tmp_path: Path) -> None:
    """Our own leaf is of dc2's intermediate, which has no subject: it is used, and the service of our datacenter reached."""
    given = native(tmp_path, wan.dc2, "edge", "shop")
    async with (
        sidecar_of(wan.dc2, "shop", wan.shop.port, "edge", tmp_path / "sidecar", wan.sidecar_port),
        running(tmp_path, given) as gateway,
        gateway.client() as client,
    ):
        answer = await client.get(SHELF)
        assert answer.status_code == 200, (answer.text, await gateway.logged(SHELF))
        assert wan.shop.calls

"""
Acceptance 2 at CI's scale: roots and leaves rotate under load, the token is revoked, the agent is killed; no call fails.

The running gateway dials natively into a grpcio service that demands our certificate and knows callers by the roots of the moment. A test
prints its figures; EDGE_ROTATIONS, EDGE_ROTATION_RATE and EDGE_CONSUL_OUTAGE_S make it longer.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from certs.consul_connect import PAUSE_S
from tests.consul.scenes import HASTY, Peer, asked, revoke, token_with, until
from tests.consul.test_gateway import SHELF
from tests.consul.test_native_dial import native
from tests.gateway import RunningGateway, running
from tests.peers.consul_agent import running_agent
from tests.peers.consul_double import running_double
from tests.upstreams.recorder import OPTIONS, AnyPath

ROTATIONS = int(os.environ.get("EDGE_ROTATIONS", "5"))
CALLS_PER_S = float(os.environ.get("EDGE_ROTATION_RATE", "60"))
OUTAGE_S = float(os.environ.get("EDGE_CONSUL_OUTAGE_S", "6"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Shop:
    """A service that presents what Consul says now and knows callers by the roots of now: an ideal sidecar."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.holds: Any = None
        self.port = 0

    async def renew(self) -> None:
        """Fetch leaf and roots."""
        _, leaf, _ = await asked(self._peer, "GET", "/v1/agent/connect/ca/leaf/shop")
        _, roots, _ = await asked(self._peer, "GET", "/v1/agent/connect/ca/roots")
        pair = (leaf["PrivateKeyPEM"].encode(), leaf["CertPEM"].encode())
        trusted = "".join(root["RootCert"] for root in roots["Roots"]).encode()
        self.holds = grpc.ssl_server_certificate_configuration([pair], trusted)

    async def register(self) -> None:
        """As a native service."""
        body = {"Name": "shop", "Port": self.port, "Address": "127.0.0.1", "Connect": {"Native": True}}
        status, told, _ = await asked(self._peer, "PUT", "/v1/agent/service/register", body)
        assert status == 200, told


async def _answer(_path: str, requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for _ in requests:
        pass
    yield b""


@asynccontextmanager
async def shop_of(peer: Peer) -> AsyncIterator[Shop]:
    """Serving and registered as a native service."""
    shop = Shop(peer)
    await shop.renew()
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((AnyPath(_answer),))
    credentials = grpc.dynamic_ssl_server_credentials(
        shop.holds, lambda: shop.holds, require_client_authentication=True
    )
    shop.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    await shop.register()
    try:
        yield shop
    finally:
        await server.stop(0)


@asynccontextmanager
async def load(gateway: RunningGateway) -> AsyncIterator[Counter[str]]:
    """Calls at a steady rate, whatever becomes of them; what became of them."""
    outcomes: Counter[str] = Counter()
    calls: set[asyncio.Task[None]] = set()

    async def one(client: httpx.AsyncClient) -> None:
        answer = await client.get(SHELF)
        outcomes["ok" if answer.status_code == 200 else answer.text] += 1

    async def all_of_them(client: httpx.AsyncClient) -> None:
        while True:
            task = asyncio.ensure_future(one(client))
            calls.add(task)
            task.add_done_callback(calls.discard)
            await asyncio.sleep(1 / CALLS_PER_S)

    async with gateway.client() as client:
        assert (await client.get(SHELF)).status_code == 200
        steady = asyncio.ensure_future(all_of_them(client))
        try:
            yield outcomes
        finally:
            steady.cancel()
            await asyncio.gather(steady, return_exceptions=True)
            await asyncio.gather(*calls)


def generation(gateway: RunningGateway) -> int:
    """How many identities the upstream's connections have seen."""
    mesh = gateway.gateway._mesh
    assert mesh is not None
    peers = mesh.followed["bookstore"].peers
    assert peers is not None
    return peers.generation


async def test_rotations_of_root_and_leaf_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rotation reaches the gateway as a new identity, both sides trust both roots meanwhile; zero failed calls."""
    monkeypatch.setattr("certs.consul_connect.PAUSE_S", 0.05)
    async with (
        running_double() as double,
        shop_of(double) as shop,
        running(tmp_path, native(tmp_path, double, "edge", "shop")) as gateway,
        load(gateway) as outcomes,
    ):
        for _ in range(ROTATIONS):
            before, calls = generation(gateway), outcomes.total()
            double.ca.rotate_root()
            await shop.renew()
            await until(partial(_passed, generation, gateway, before), "the new identity")
            await until(partial(_more, outcomes, calls), "some calls")
        print(f"{ROTATIONS} rotations of root and leaf, {generation(gateway)} identities, {dict(outcomes)}")
    assert set(outcomes) == {"ok"}


def _passed(of: Callable[[RunningGateway], int], gateway: RunningGateway, before: int) -> bool:
    return of(gateway) > before


def _more(outcomes: Counter[str], calls: int) -> bool:
    return outcomes.total() > calls + CALLS_PER_S / 4


async def test_a_revoked_token_keeps_the_last_good_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm is raised in the admin page and in metrics; no call fails."""
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    rules = {"service_prefix": {"": {"policy": "write"}}, "node_prefix": {"": {"policy": "read"}}}
    async with running_double(acl=True) as double, shop_of(double):
        token, accessor = await token_with(double, rules)
        given = native(tmp_path, double, "edge", "shop")
        (tmp_path / "token").write_text(token)
        given["consul"]["token"] = f"file:{tmp_path / 'token'}"
        async with running(tmp_path, given) as gateway, load(gateway) as outcomes:
            await revoke(double, accessor)
            mesh = gateway.gateway._mesh
            assert mesh is not None
            await until(lambda: mesh.followed["bookstore"].state().alarm, "the alarm")
            calls = outcomes.total()
            await until(lambda: outcomes.total() > calls + CALLS_PER_S, "calls for a while")
            async with httpx.AsyncClient(trust_env=False) as other:
                metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
            assert 'edge_consul_alarm{alarm="denied",upstream="bookstore"} 1.0' in metrics
            print(f"token revoked: {dict(outcomes)}")
    assert set(outcomes) == {"ok"}


async def test_an_agent_that_is_killed(real_folder: Path) -> None:
    """The real one, gone for a while and started again with its memory: zero failed calls."""
    with running_agent(real_folder / "agent", durable=True) as consul:
        async with (
            shop_of(consul),
            running(real_folder, native(real_folder, consul, "edge", "shop")) as gateway,
            load(gateway) as outcomes,
        ):
            mesh = gateway.gateway._mesh
            assert mesh is not None
            consul.kill()
            await asyncio.sleep(OUTAGE_S)
            assert mesh.followed["bookstore"].state().alarm
            await asyncio.to_thread(consul.start)
            await until(lambda: mesh.followed["bookstore"].state().alarm is None, "well again", 60.0)
            print(f"agent gone {OUTAGE_S:.0f} s: {dict(outcomes)}")
    assert set(outcomes) == {"ok"}


async def test_a_cluster_that_began_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent without its memory has another trust domain: the service is expected under its new name, and found again."""
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    async with (
        running_double() as double,
        shop_of(double) as shop,
        running(tmp_path, native(tmp_path, double, "edge", "shop")) as gateway,
        gateway.client() as client,
    ):
        assert (await client.get(SHELF)).status_code == 200
        before = double.ca.trust_domain
        await asyncio.sleep(2 * PAUSE_S)  # our queries are open again: one that the agent's end breaks starts over
        await double.lose_memory()
        await shop.register()
        await shop.renew()
        mesh = gateway.gateway._mesh
        assert mesh is not None
        peers = mesh.followed["bookstore"].peers
        assert peers is not None
        await until(lambda: peers.trust_domain == double.ca.trust_domain != before, "an identity of the new cluster")
        for _ in range(100):
            if (answer := await client.get(SHELF)).status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert answer.status_code == 200, answer.text
        pool = gateway.gateway._pools["bookstore"][1]
        assert all(double.ca.trust_domain in "".join(each.expects) for each in pool._slots._keys)

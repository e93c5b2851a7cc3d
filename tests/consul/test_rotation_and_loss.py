"""
Acceptance 2 at CI's scale: roots and leaves rotate under load, the token is revoked, the agent is killed; no call fails.

The running gateway dials natively into a grpcio service that demands our certificate and knows callers by the roots of the moment. A test
prints its figures, with the rate that was really offered. At the issue's scale: PYTHONASYNCIODEBUG= EDGE_ROTATIONS=20
EDGE_ROTATION_EVERY_S=3 EDGE_ROTATION_RATE=300 EDGE_CONSUL_OUTAGE_S=60.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.consul_connect import PAUSE_S
from tests.consul.conftest import KINDS
from tests.consul.scenes import HASTY, Peer, asked, revoke, token_with, until
from tests.consul.test_gateway import SHELF
from tests.consul.test_native_dial import native
from tests.gateway import RunningGateway, running
from tests.peers.consul_agent import running_agent
from tests.peers.consul_double import ConsulDouble, running_double
from tests.upstreams.recorder import OPTIONS, AnyPath

ROTATIONS = int(os.environ.get("EDGE_ROTATIONS", "5"))
EVERY_S = float(os.environ.get("EDGE_ROTATION_EVERY_S", "1"))
CALLS_PER_S = float(os.environ.get("EDGE_ROTATION_RATE", "60"))
OUTAGE_S = float(os.environ.get("EDGE_CONSUL_OUTAGE_S", "6"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 2 * OUTAGE_S + 10 * ROTATIONS * EVERY_S)]

LEAF_WITHIN_S = 45.0
"""A real agent spreads new leaves over 30 s after a root has changed, so that a mesh does not ask all at once."""


class Shop:
    """A service that presents what Consul says now and knows callers by the roots of now: an ideal sidecar."""

    def __init__(self, peer: Peer, name: str) -> None:
        self._peer = peer
        self._name = name
        self.holds: Any = None
        self.port = 0

    async def renew(self) -> None:
        """Fetch leaf and roots."""
        _, leaf, _ = await asked(self._peer, "GET", f"/v1/agent/connect/ca/leaf/{self._name}")
        _, roots, _ = await asked(self._peer, "GET", "/v1/agent/connect/ca/roots")
        pair = (leaf["PrivateKeyPEM"].encode(), leaf["CertPEM"].encode())
        trusted = "".join(root["RootCert"] for root in roots["Roots"]).encode()
        self.holds = grpc.ssl_server_certificate_configuration([pair], trusted)

    async def register(self) -> None:
        """As a native service."""
        body = {"Name": self._name, "Port": self.port, "Address": "127.0.0.1", "Connect": {"Native": True}}
        status, told, _ = await asked(self._peer, "PUT", "/v1/agent/service/register", body)
        assert status == 200, told


async def _answer(_path: str, requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for _ in requests:
        pass
    yield b""


@pytest.fixture(params=KINDS)
async def rotating(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Peer]:
    """Each Consul in turn, the test's own."""
    if request.param == "double":
        async with running_double() as double:
            yield double
    else:
        with running_agent(request.getfixturevalue("real_folder") / "agent") as agent:
            yield agent


@asynccontextmanager
async def shop_of(peer: Peer, name: str = "shop") -> AsyncIterator[Shop]:
    """Serving and registered as a native service."""
    shop = Shop(peer, name)
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


@dataclass
class Load:
    """What became of the calls, and how fast they really were offered."""

    outcomes: Counter[str] = field(default_factory=Counter)
    offered: int = 0
    for_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.offered / self.for_s:.0f} calls/s offered for {self.for_s:.0f} s: {dict(self.outcomes)}"


@asynccontextmanager
async def load(gateway: RunningGateway) -> AsyncIterator[Load]:
    """Calls at a steady rate, whatever becomes of them: a slow answer holds none of the later ones back."""
    done, calls, loop = Load(), set[asyncio.Task[None]](), asyncio.get_running_loop()

    async def one(client: aiohttp.ClientSession) -> None:
        try:
            async with client.get(SHELF) as answer:
                text = await answer.text()
                done.outcomes["ok" if answer.status == 200 else text] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            done.outcomes[repr(error)] += 1

    async def all_of_them(client: aiohttp.ClientSession) -> None:
        began = loop.time()
        while True:
            done.for_s = loop.time() - began
            while done.offered < done.for_s * CALLS_PER_S:
                done.offered += 1
                task = asyncio.ensure_future(one(client))
                calls.add(task)
                task.add_done_callback(calls.discard)
            await asyncio.sleep(1 / CALLS_PER_S)

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(gateway.url, connector=connector, timeout=timeout) as client:
        async with client.get(SHELF) as first:
            assert first.status == 200, await first.text()
        steady = asyncio.ensure_future(all_of_them(client))
        try:
            yield done
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


def _passed(gateway: RunningGateway, before: int) -> bool:
    return generation(gateway) > before


async def rotate(peer: Peer) -> None:
    """A new root, at once active; of the real agent by a new key of its CA."""
    if isinstance(peer, ConsulDouble):
        peer.ca.rotate_root()
        return
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    body = {"Provider": "consul", "Config": {"PrivateKey": pem, "RootCert": ""}}
    status, told, _ = await asked(peer, "PUT", "/v1/connect/ca/configuration", body)
    assert status == 200, told


async def active_root(peer: Peer) -> str:
    """The key that signs new leaves, as in their AuthorityKeyIdentifier."""
    _, roots, _ = await asked(peer, "GET", "/v1/connect/ca/roots")
    (active,) = [root for root in roots["Roots"] if root["Active"]]
    root = x509.load_pem_x509_certificate(active["RootCert"].encode())
    return root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def signed_by(gateway: RunningGateway) -> str:
    """The key that signed the gateway's leaf."""
    mesh = gateway.gateway._mesh
    assert mesh is not None
    assert mesh.source is not None
    identity = mesh.source.current()
    assert identity is not None
    leaf = x509.load_der_x509_certificate(identity.chain[0])
    found = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return (found or b"").hex()


async def test_rotations_of_root_and_leaf_under_load(tmp_path: Path, rotating: Peer) -> None:
    """Each rotation reaches the gateway as a new identity, both sides trust both roots meanwhile; zero failed calls."""
    async with (
        shop_of(rotating) as shop,
        running(tmp_path, native(tmp_path, rotating, "edge", "shop")) as gateway,
        load(gateway) as calls,
    ):
        for _ in range(ROTATIONS):
            before, done = generation(gateway), calls.outcomes.total()
            await rotate(rotating)
            await shop.renew()
            await until(partial(_passed, gateway, before), "the new identity")
            await asyncio.sleep(EVERY_S)
            assert calls.outcomes.total() > done
        last = await active_root(rotating)
        await until(lambda: signed_by(gateway) == last, "a leaf of the last root", LEAF_WITHIN_S)
        done = calls.outcomes.total()
        await until(lambda: calls.outcomes.total() > done + CALLS_PER_S, "calls with it")
    print(f"{rotating.name}: {ROTATIONS} rotations of root and leaf, {calls}")
    assert set(calls.outcomes) == {"ok"}


async def test_a_revoked_token_keeps_the_last_good_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: Peer, unique: Callable[[str], str]
) -> None:
    """The alarm is raised in the admin page and in metrics; no call fails."""
    monkeypatch.setattr("edge.app.mesh.manners_of", lambda _: HASTY)
    us, service = unique("edge"), unique("shop")
    rules = {"service_prefix": {"": {"policy": "write"}}, "node_prefix": {"": {"policy": "read"}}}
    async with shop_of(guarded, service):
        token, accessor = await token_with(guarded, rules)
        given = native(tmp_path, guarded, us, service)
        (tmp_path / "token").write_text(token)
        given["consul"]["token"] = f"file:{tmp_path / 'token'}"
        async with running(tmp_path, given) as gateway, load(gateway) as calls:
            await revoke(guarded, accessor)
            mesh = gateway.gateway._mesh
            assert mesh is not None
            await until(lambda: mesh.followed["bookstore"].state().alarm, "the alarm", 30.0)
            done = calls.outcomes.total()
            await until(lambda: calls.outcomes.total() > done + CALLS_PER_S, "calls for a while")
            async with httpx.AsyncClient(trust_env=False) as other:
                metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
            assert 'edge_consul_alarm{alarm="denied",upstream="bookstore"} 1.0' in metrics
        print(f"{guarded.name}: token revoked: {calls}")
    assert set(calls.outcomes) == {"ok"}


async def test_an_agent_that_is_killed(real_folder: Path) -> None:
    """The real one, gone for a while and started again with its memory: zero failed calls."""
    with running_agent(real_folder / "agent", durable=True) as consul:
        async with (
            shop_of(consul),
            running(real_folder, native(real_folder, consul, "edge", "shop")) as gateway,
            load(gateway) as calls,
        ):
            mesh = gateway.gateway._mesh
            assert mesh is not None
            consul.kill()
            await asyncio.sleep(OUTAGE_S)
            assert mesh.followed["bookstore"].state().alarm
            await asyncio.to_thread(consul.start)
            await until(lambda: mesh.followed["bookstore"].state().alarm is None, "well again", 60.0)
        print(f"agent gone {OUTAGE_S:.0f} s: {calls}")
    assert set(calls.outcomes) == {"ok"}


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

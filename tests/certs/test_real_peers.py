"""The gateway's own dialler with a rotating identity, against a real Envoy sidecar and grpcio's server; and Envoy calling us."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from certs.devca import Authority, Issued, new_authority
from certs.devca_files import write_pair
from certs.identity import make_identity
from certs.leaf import Side
from certs.peer import Peer, PeerRules
from certs.rotation import RotatingContexts
from certs.spiffe import SpiffeId
from edge.outcome import Refusal
from edge.upstream.call import UnaryReply, UnaryRequest
from edge.upstream.dial import Security
from edge.upstream.endpoint import DialPlan
from edge.upstream.pool import Pool
from tests.calls import unary
from tests.certs.envoy_sidecar import Sidecar, running
from tests.peers.envoy import envoy_binary
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.meeting import Service, serving
from tests.unit.upstream import services

DOMAIN = "11111111-2222-3333-4444-555555555555.consul"
EDGE = SpiffeId(DOMAIN, "/ns/default/dc/dc1/svc/edge")
SHOP = SpiffeId(DOMAIN, "/ns/default/dc/dc1/svc/shop")
CALLER = f"^spiffe://{DOMAIN}/ns/default/dc/[^/]+/svc/edge$"
AUTHORITY = new_authority(DOMAIN, time.time(), 86_400)

needs_envoy = pytest.mark.skipif(envoy_binary() is None, reason="Envoy is not installed: run make setup")


def leaf(of: SpiffeId, signer: Authority = AUTHORITY) -> Issued:
    return signer.issue(of, time.time(), 3600)


def source(of: SpiffeId = EDGE) -> FixedSource:
    found = FixedSource()
    renew(found, of)
    return found


def renew(what: FixedSource, of: SpiffeId = EDGE) -> None:
    issued = leaf(of)
    roots = {DOMAIN: [AUTHORITY.root.certificate]}
    what.publish(make_identity([issued.certificate], issued.key, roots, time.time()))


def pool_over(contexts: RotatingContexts, port: int) -> Pool:
    """As the gateway is to wire it: the standing context, and the check of the leaf as the dial's peer check."""

    def check(transport: asyncio.BaseTransport) -> str | None:
        found = contexts.verify(transport.get_extra_info("ssl_object"))
        return None if isinstance(found, Peer) else str(found)

    security = Security(contexts.context, "shop.default.dc1.internal", check, by_uri=True)
    return Pool("shop", [("127.0.0.1", port)], DialPlan(security, services.session, connect_timeout_s=10))


async def ask(pool: Pool) -> UnaryReply | Refusal:
    return await unary(pool, UnaryRequest(b"/t.S/Echo", b"hello"))


@asynccontextmanager
async def dialling(what: FixedSource, port: int, expected: SpiffeId = SHOP) -> AsyncIterator[Pool]:
    contexts = RotatingContexts(what, PeerRules(Side.UPSTREAM, frozenset({expected})))
    pool = pool_over(contexts, port)
    try:
        yield pool
    finally:
        await pool.close(1)
        contexts.close()


def sidecar(folder: Path, service_port: int, reached_port: int = 9, *, newest_tls: str = "TLSv1_3") -> Sidecar:
    """Shop's, with files as an agent would write them."""
    certificate, key = write_pair(folder, "shop", leaf(SHOP))
    roots, _ = write_pair(folder, "ca", AUTHORITY.root)
    return Sidecar(certificate, key, roots, CALLER, service_port, str(EDGE), reached_port, newest_tls)


@needs_envoy
@pytest.mark.envoy
async def test_a_sidecar_with_nothing_but_a_spiffe_uri(tmp_path: Path) -> None:
    """
    A call through Envoy's mTLS and RBAC, then through thirty rotations of our leaf with new connections each time: none fails.

    BoringSSL accepts our leaves and the root's name constraint.
    """
    ours = source()
    with services.serving() as service, running(tmp_path, sidecar(tmp_path, service.port)) as ports:
        for _ in range(30):
            async with dialling(ours, ports.inbound) as pool:
                reply = await ask(pool)
                assert isinstance(reply, UnaryReply), reply
            renew(ours)


@needs_envoy
@pytest.mark.envoy
async def test_who_the_sidecar_does_not_admit(tmp_path: Path) -> None:
    """Another service's identity is refused by its RBAC; another service behind it is refused by us."""
    with services.serving() as service, running(tmp_path, sidecar(tmp_path, service.port)) as ports:
        async with dialling(source(SpiffeId(DOMAIN, "/ns/default/dc/dc1/svc/cart")), ports.inbound) as pool:
            assert isinstance(await ask(pool), Refusal)
        async with dialling(source(), ports.inbound, SpiffeId(DOMAIN, "/ns/default/dc/dc1/svc/cart")) as pool:
            refused = await ask(pool)
            assert isinstance(refused, Refusal)
            assert f"identity: the peer is {SHOP}" in (refused.detail or "")
        assert service.seen.metadata == {}


@needs_envoy
@pytest.mark.envoy
@pytest.mark.parametrize("newest_tls", ["TLSv1_2", "TLSv1_3"])
async def test_a_sidecar_calls_us(tmp_path: Path, newest_tls: str) -> None:
    """
    Envoy dials our listener with TLS 1.2 or 1.3, checks our URI, and is known by its own; again and again, through rotations.

    It keeps sessions to resume; with none of ours resumed across a rotation, each call still works.
    """
    ours = source()
    contexts = RotatingContexts(ours, PeerRules(Side.DOWNSTREAM))
    seen: list[tuple[SpiffeId, bool]] = []

    def look(session: ssl.SSLObject) -> object:
        found = contexts.verify(session)
        if isinstance(found, Peer):
            seen.append((found.spiffe_id, bool(session.session_reused)))
            return None
        return found

    async with serving(contexts.context, look) as us:
        with running(tmp_path, sidecar(tmp_path, 9, us.port, newest_tls=newest_tls)) as ports:
            for number in range(20):
                assert await _through(ports.outbound, us) == b"ping"
                if number % 3 == 0:
                    renew(ours)
    assert us.refused == []
    assert [who for who, _ in seen] == [SHOP] * 20
    print(f"{newest_tls}: {sum(reused for _, reused in seen)} of {len(seen)} sessions resumed")
    contexts.close()


async def _through(port: int, us: Service) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"ping")
    answer = await reader.read(4)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_grpcio_as_the_service() -> None:
    """A grpcio server that demands our certificate; it knows a leaf of the development authority from a stranger's."""
    shop = leaf(SHOP)
    root = AUTHORITY.root.certificate_pem
    credentials = grpc.ssl_server_credentials([(shop.key_pem, shop.certificate_pem)], root, require_client_auth=True)
    with services.serving(credentials=credentials) as service:
        ours = source()
        for _ in range(5):
            async with dialling(ours, service.port) as pool:
                reply = await ask(pool)
                assert isinstance(reply, UnaryReply), reply
            renew(ours)
        async with dialling(ours, service.port, EDGE) as pool:
            refused = await ask(pool)
            assert isinstance(refused, Refusal)
            assert "identity" in (refused.detail or "")

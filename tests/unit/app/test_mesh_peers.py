"""Whom a mesh connection may reach, and when it must end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from certs.generation import generation_of
from edge.app.mesh_peers import MeshPeers, refusing
from edge.upstream.connection import Connection
from edge.upstream.dial import Security, alpn_fault
from tests.certs.test_hostile_certificates import _presenting
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.meeting import call, serving
from tests.unit.certs.mint import EDGE, SHOP, TD, Minted, identity, mint, root

CA = root()
CART = SHOP.replace("shop", "cart")


def nothing_drains(_: Callable[[Connection], str | None]) -> None:
    pass


def ours(ca: Minted = CA) -> FixedSource:
    return FixedSource(identity(mint(ca, EDGE), ca))


class _Transport(asyncio.BaseTransport):
    def __init__(self, session: ssl.SSLObject) -> None:
        super().__init__({"ssl_object": session})


async def fault_of(security: Security, leaf: Minted) -> str | None:
    """What the check of a dial has against a service with this leaf."""
    assert security.context is not None
    async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, leaf)) as service:
        line = await call(service.port, security.context)
        try:
            assert alpn_fault(line.session) is None
            return security.check(_Transport(line.session))
        finally:
            await line.end()


async def test_an_endpoints_certificate_proves_nothing_at_another() -> None:
    peers = MeshPeers(ours(), nothing_drains)
    shop, cart = peers.security([SHOP], ""), peers.security([CART], "")
    assert await fault_of(shop, mint(CA, SHOP)) is None
    assert await fault_of(cart, mint(CA, CART)) is None
    assert f"identity: the peer is {CART}" in (await fault_of(shop, mint(CA, CART)) or "")
    assert await fault_of(peers.security([SHOP, CART], ""), mint(CA, CART)) is None
    peers.close()


async def test_the_server_name_leads_through_gateways() -> None:
    peers = MeshPeers(ours(), nothing_drains)
    assert peers.security([SHOP], "shop.default.dc2.internal.x").name_for("10.0.0.1") == "shop.default.dc2.internal.x"
    assert peers.security([SHOP], "").name_for("10.0.0.1") == ""
    peers.close()


async def test_without_an_identity_a_dial_is_refused_with_the_reason() -> None:
    source = FixedSource()
    source.reject("denied")
    peers = MeshPeers(source, nothing_drains)
    assert peers.trust_domain is None
    assert peers.security([SHOP], "").fault() == peers.fault() == "no certificate from test: denied"
    source.publish(identity(mint(CA, EDGE), CA))
    assert peers.fault() is None
    assert peers.generation == 1
    domain: str | None = peers.trust_domain
    assert domain == TD
    peers.close()


async def test_a_name_that_is_no_identity_refuses_every_dial() -> None:
    peers = MeshPeers(ours(), nothing_drains)
    assert "the identity to expect is none" in (peers.security(["spiffe://td.test/a%20b"], "").fault() or "")
    peers.close()


async def test_contexts_are_shared_and_forgotten_with_their_endpoints() -> None:
    peers = MeshPeers(ours(), nothing_drains)
    first = peers.security([SHOP], "")
    assert peers.security([SHOP], "a").context is first.context
    peers.retain([(CART,)])
    assert peers.security([SHOP], "").context is not first.context
    peers.close()


async def test_a_withdrawn_root_drains_the_connections_made_with_it() -> None:
    """A new leaf of the same root drains none."""
    asked: list[str | None] = []
    source = ours()
    held: list[ssl.SSLObject] = []

    class Held:
        @property
        def tls(self) -> ssl.SSLObject:
            return held[0]

    peers = MeshPeers(source, lambda reason_of: asked.append(reason_of(Held())))  # type: ignore[arg-type]  # all it looks at
    security = peers.security([SHOP], "")
    assert security.context is not None
    async with serving(_presenting(ssl.PROTOCOL_TLS_SERVER, mint(CA, SHOP))) as service:
        line = await call(service.port, security.context)
        held.append(line.session)
        assert generation_of(line.session) is not None
        source.publish(identity(mint(CA, EDGE), CA))
        other = root()
        source.publish(identity(mint(other, EDGE), other))
        await line.end()
    assert asked == [None, "a root that it trusts was withdrawn"]
    peers.close()


async def test_a_leaf_that_ends_drains_without_being_told() -> None:
    """The timer asks; nothing came from the source."""
    asked = asyncio.Event()
    source = FixedSource(identity(mint(CA, EDGE, ends_s=1.5), CA))
    peers = MeshPeers(source, lambda _: asked.set())
    held = peers.security([SHOP], "")
    async with asyncio.timeout(20):
        await asked.wait()
    assert "has expired" in (held.fault() or "")
    peers.close()


def test_refusing_lets_nothing_be_made() -> None:
    security = refusing("nobody")
    assert security.fault() == "nobody"
    assert security.check(asyncio.BaseTransport()) == "nobody"
    assert security.context is not None

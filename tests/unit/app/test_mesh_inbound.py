"""Who callers are, when their connections end, what readiness and the admin page say. Real callers: tests/consul/test_called_*.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from edge.app.mesh_inbound import HANDSHAKE, MeshInbound
from edge.config.models import ListenerMesh
from edge.consul.client import ConsulClient
from edge.core.consul_identity import MeshService
from edge.core.intention_http import Permission
from edge.core.intentions import Intention, Intentions, Source
from edge.core.mesh_caller import Caller
from edge.ingress.visits import Ending, Visit
from tests.consul.scenes import HASTY, agent_at, until
from tests.consul.sidecars import intend
from tests.peers.consul_double import running_double
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.handshake import shake
from tests.unit.certs.mint import EDGE, TD, Minted, identity, mint, root
from tests.unit.certs.test_handshake import caller as presenting

CA = root()
WEB = f"spiffe://{TD}/ns/default/dc/dc1/svc/web"
CALLER = Caller(WEB, MeshService("web", "dc1"))


@dataclass
class Scene:
    """What is called, and its clock (Unix seconds)."""

    source: FixedSource
    now: float = field(default_factory=time.time)
    inbound: MeshInbound = field(init=False)

    def transport(self, leaf: Minted) -> asyncio.BaseTransport:
        """A connection after its handshake."""
        _, ours = shake(presenting(leaf), self.inbound.contexts.context)
        return asyncio.BaseTransport({"ssl_object": ours, "peername": ("192.0.2.1", 4711)})

    def say(self, *permissions: Permission, allows: bool = False) -> None:
        """What Consul is to have told."""
        intention = Intention(Source("web"), "edge", 9, allows, permissions)
        self.inbound.watch_of_intentions.current = Intentions("edge", (intention,), default_allow=False)


@asynccontextmanager
async def called(*, silent: bool = True) -> AsyncIterator[Scene]:
    """With an identity; `silent`: Consul says nothing."""
    scene = Scene(FixedSource(identity(mint(CA, EDGE), CA)))
    async with running_double() as double:
        if silent:
            await double.stop()
        async with ConsulClient(agent_at(double.url)) as client:
            scene.inbound = MeshInbound("edge", client, HASTY, scene.source, clock=lambda: scene.now)
            if not silent:
                await intend(double, "web", "edge", "allow")
            try:
                yield scene
            finally:
                await scene.inbound.close()


async def test_a_caller_is_its_certificate() -> None:
    """The service's ID, with what its calls will tell of it; its certificate's end is its connection's."""
    async with called() as scene:
        door = scene.inbound.door(ListenerMesh())
        visit = door.admit(scene.transport(mint(CA, WEB, ends_s=100)))
        assert visit is not None
        assert (visit.caller.spiffe_id, visit.caller.service) == (WEB, MeshService("web", "dc1"))
        assert visit.caller.forwarded.startswith(f"By={EDGE};Hash=".encode())
        assert visit.ends_at - asyncio.get_running_loop().time() == pytest.approx(100, abs=3)


async def test_connections_end_at_about_their_age() -> None:
    """Not all at once."""
    async with called() as scene:
        door, loop = scene.inbound.door(ListenerMesh()), asyncio.get_running_loop()
        leaf = mint(CA, WEB)
        visits = [door.admit(scene.transport(leaf)) for _ in range(20)]
        ages = [visit.ends_at - loop.time() for visit in visits if visit is not None]
        assert len(ages) == 20
        assert 535 < min(ages) < max(ages) < 661
        assert max(ages) - min(ages) > 5


@pytest.mark.parametrize(
    ("uri", "check"), [(f"spiffe://{TD}/gateway/mesh/dc/dc1", "service"), ("spiffe://evil.test/a", "trust-domain")]
)
async def test_who_is_no_service_of_the_mesh_is_refused(uri: str, check: str) -> None:
    """Counted, and logged with its address and reason; again and again ever more seldom."""
    async with called() as scene:
        door, leaf = scene.inbound.door(ListenerMesh()), mint(CA, uri)
        with capture_logs() as logged:
            for _ in range(9):
                assert door.admit(scene.transport(leaf)) is None
        assert scene.inbound.refused == {check: 9}
        assert [entry["count"] for entry in logged] == [1, 2, 4, 8]
        assert logged[0]["reason"].startswith(f"{check}: ")
        assert logged[0]["peer"] == "192.0.2.1"


async def test_a_handshake_that_fails_is_counted() -> None:
    """Under a label of its own."""
    async with called() as scene:
        with pytest.raises(OSError, match="unable to get local issuer"):
            shake(presenting(mint(root(), WEB)), scene.inbound.contexts.context)
        assert scene.inbound.refused[HANDSHAKE] == 1


async def test_why_a_connection_ends() -> None:
    """Its age; our certificate; an intention that was, and is no more. Who never was allowed stays, to be told so."""
    async with called() as scene:
        door, now = scene.inbound.door(ListenerMesh()), 100.0

        def visit(*, welcome: bool) -> Visit:
            return Visit(CALLER, ends_at=200.0, welcome=welcome)

        def ending(of: Visit, at: float = now) -> Ending | None:
            found = door.why_end(of, at)
            return None if found is None else found[0]

        assert ending(visit(welcome=False)) is None
        assert ending(visit(welcome=False), 200.0) is Ending.AGE
        welcomed = visit(welcome=False)
        scene.say(allows=True)
        assert ending(welcomed) is None
        assert welcomed.welcome
        scene.say(Permission(allows=True))
        assert ending(welcomed) is None
        scene.say(allows=False)
        assert ending(welcomed) is Ending.INTENTIONS
        assert ending(visit(welcome=False)) is None


async def test_connections_of_a_withdrawn_root_end() -> None:
    """And those of a certificate of ours that is about to: at once, when the source tells."""
    async with called() as scene:
        door, reviews = scene.inbound.door(ListenerMesh()), []
        forget = door.watch(lambda: reviews.append(1))
        visit = door.admit(scene.transport(mint(CA, WEB)))
        assert visit is not None
        assert door.why_end(visit, 0.0) is None
        scene.source.publish(identity(mint(other := root(), EDGE), other))
        assert reviews == [1]
        assert (door.why_end(visit, 0.0) or ()) == (Ending.CERTIFICATE, "a root that it trusts was withdrawn")
        forget()


async def test_readiness_waits_for_intentions_and_a_certificate() -> None:
    """With the reason; what is known suffices when Consul is lost."""
    async with called() as scene:
        await until(lambda: scene.inbound.watch_of_intentions.state().reason, "the first failure")
        assert (scene.inbound.fault() or "").startswith("intentions: waiting for Consul: ")
        assert scene.inbound.page()["default"] is None
        scene.say(allows=True)
        assert scene.inbound.fault() is None
        scene.source.withdraw("gone")
        assert "no certificate" in (scene.inbound.fault() or "")


async def test_the_admin_page_shows_what_is_known() -> None:
    """Each intention in the order in which it counts."""
    async with called(silent=False) as scene:
        await until(lambda: (known := scene.inbound.known()) and known.listed, "the intention")
        page = scene.inbound.page()
        assert page["intentions"] == [{"source": "web", "destination": "edge", "precedence": 9, "action": "allow"}]
        assert (page["service"], page["known"], page["default"], page["alarm"]) == ("edge", True, "allow", None)

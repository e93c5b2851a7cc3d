"""Rotation: new connections get the newest context, old ones are told when to go, and nobody notices."""

from __future__ import annotations

import asyncio
import gc
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from certs import rotation as module
from certs.generation import generation_of
from certs.identity import Identity
from certs.leaf import Check, LeafFault, Side
from certs.peer import Peer, PeerRules
from certs.rotation import RotatingContexts
from certs.spiffe import SpiffeId
from tests.unit.certs.fixed_source import FixedSource
from tests.unit.certs.handshake import shake
from tests.unit.certs.meeting import call, serving
from tests.unit.certs.mint import EDGE, SHOP, Minted, identity, mint, root

CA, OTHER = root(), root("other.test")
TO_SHOP = PeerRules(Side.UPSTREAM, frozenset({SpiffeId.parse(SHOP)}))
CALLERS = PeerRules(Side.DOWNSTREAM)


def edge(*roots: Minted, signer: Minted = CA, **more: float) -> Identity:
    return identity(mint(signer, EDGE, **more), *(roots or (CA,)))  # type: ignore[arg-type]  # passed through


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def test_each_identity_is_a_generation() -> None:
    """Numbered from one; watchers hear of each; the context handed out stays the same object."""
    source = FixedSource()
    contexts = RotatingContexts(source, TO_SHOP)
    heard: list[int] = []
    contexts.watch(lambda: heard.append(contexts.current.number if contexts.current else 0))
    outside = contexts.context
    assert contexts.current is None
    for _ in range(3):
        source.publish(edge())
    source.withdraw("not entitled")
    assert heard == [1, 2, 3, 0]
    assert contexts.context is outside
    contexts.close()
    source.publish(edge())
    assert contexts.current is None


def test_a_connection_keeps_its_generation() -> None:
    """The session that stands is of the first; the next handshake presents the second's leaf."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    shop = RotatingContexts(FixedSource(identity(mint(CA, SHOP), CA)), CALLERS)
    before, first = shake(contexts.context, shop.context)
    source.publish(edge())
    after, second = shake(contexts.context, shop.context)
    old, new = generation_of(before), generation_of(after)
    assert (old and old.number, new and new.number) == (1, 2)
    assert first.getpeercert(binary_form=True) != second.getpeercert(binary_form=True)
    assert isinstance(contexts.verify(before), Peer)
    assert isinstance(shop.verify(second), Peer)


def test_no_connection_without_an_identity() -> None:
    """A dial and a call end in a failed handshake; the reason is there to be asked for before."""
    nobody = RotatingContexts(FixedSource(), TO_SHOP)
    shop = RotatingContexts(FixedSource(identity(mint(CA, SHOP), CA)), CALLERS)
    closed = RotatingContexts(FixedSource(), CALLERS)
    assert "no certificate" in (nobody.fault() or "")
    with pytest.raises(ssl.SSLError):
        shake(nobody.context, shop.context)
    with pytest.raises(ssl.SSLError):
        shake(RotatingContexts(FixedSource(edge()), TO_SHOP).context, closed.context)


def test_a_connection_of_another_context_proves_nothing() -> None:
    """Wired wrongly, the check refuses."""
    contexts = RotatingContexts(FixedSource(edge()), TO_SHOP)
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname = False
    found = contexts.verify(plain.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()))
    assert isinstance(found, LeafFault)
    assert found.check is Check.PRESENCE


def test_expiry() -> None:
    """Readiness ends with the leaf; an old generation drains before, the current one when there is nothing newer."""
    clock = Clock()
    source = FixedSource(edge(begins_s=-100, ends_s=900))
    contexts = RotatingContexts(source, TO_SHOP, clock=clock)
    first = contexts.current
    assert first is not None
    assert contexts.next_drain_s() == pytest.approx(900, abs=2)
    clock.now += 860  # within the last twentieth
    assert contexts.drain_reason(first) is None  # a new connection would not live longer
    source.publish(edge(ends_s=7200))
    assert contexts.drain_reason(first) == "its certificate is about to expire"
    assert contexts.next_drain_s() == 0.0
    assert contexts.fault() is None
    clock.now += 7200
    assert contexts.current is not None
    assert contexts.drain_reason(contexts.current) == "its certificate has expired"
    assert "has expired" in (contexts.fault() or "")


def test_an_old_generation_stays_while_it_is_good() -> None:
    """A rotation alone cuts nothing."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    first = contexts.current
    source.publish(edge())
    assert first is not None
    assert contexts.drain_reason(first) is None


def test_roots_that_come_and_go() -> None:
    """A root more cuts nothing; one that its peers may have been verified with less, everything older."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    first = contexts.current
    new_root = root()
    source.publish(edge(CA, new_root))
    second = contexts.current
    assert first is not None
    assert second is not None
    assert contexts.drain_reason(first) is None
    source.publish(edge(new_root, signer=new_root))
    assert contexts.drain_reason(first) == "a root that it trusts was withdrawn"
    assert contexts.drain_reason(second) == "a root that it trusts was withdrawn"


def test_a_root_of_a_trust_domain_we_do_not_dial_is_no_reason() -> None:
    """Only the roots these connections were verified with count."""
    both = identity(mint(CA, EDGE), CA, federated={"other.test": [OTHER]})
    source = FixedSource(both)
    dialled, called = RotatingContexts(source, TO_SHOP), RotatingContexts(source, CALLERS)
    first, other = dialled.current, called.current
    source.publish(edge())
    assert first is not None
    assert other is not None
    assert dialled.drain_reason(first) is None
    assert called.drain_reason(other) == "a root that it trusts was withdrawn"


def test_somebody_else_now() -> None:
    """A new name, or none: connections under the old one end."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    first = contexts.current
    assert first is not None
    source.publish(identity(mint(CA, EDGE + "2"), CA))
    assert contexts.drain_reason(first) == f"we are {EDGE}2 now, no longer {EDGE}"
    source.withdraw("not entitled")
    assert contexts.drain_reason(first) == "our identity was withdrawn"


def test_a_trust_domain_that_is_no_more_federated() -> None:
    """Without roots for the service meant there is nobody to dial, and its connections end."""
    theirs = PeerRules(Side.UPSTREAM, frozenset({SpiffeId("other.test", "/billing")}))
    source = FixedSource(identity(mint(CA, EDGE), CA, federated={"other.test": [OTHER]}))
    contexts = RotatingContexts(source, theirs)
    first = contexts.current
    assert first is not None
    source.publish(edge())
    assert contexts.current is None
    assert contexts.fault() == "roots: none of other.test"
    assert contexts.drain_reason(first) == "roots: none of other.test"


def test_a_context_that_cannot_be_made_now_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptors left at the moment of a rotation: the old one serves, the next connection tries again."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    heard: list[int] = []
    contexts.watch(lambda: heard.append(1))

    def fails(*_: object) -> ssl.SSLContext:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(module, "fill_context", fails)
        source.publish(edge())
    assert contexts.current is not None
    assert contexts.current.number == 1
    assert heard == []
    contexts.newest()
    assert contexts.current.number == 2
    assert heard == [1]


def test_generations_do_not_pile_up() -> None:
    """One lives as long as it is current or a connection is of it."""
    source = FixedSource(edge())
    contexts = RotatingContexts(source, TO_SHOP)
    shop = RotatingContexts(FixedSource(identity(mint(CA, SHOP), CA)), CALLERS)
    held, _ = shake(contexts.context, shop.context)
    for _ in range(20):
        source.publish(edge())
    gc.collect()
    assert sorted(one.number for one in contexts._alive) == [1, 21]
    del held, _
    gc.collect()
    assert [one.number for one in contexts._alive] == [21]


def on_each_loop(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """asyncio's loop, and the one in production."""
    asyncio.run(run())
    uvloop.run(run())


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_hundred_rotations_under_handshakes_lose_no_connection(
    run: Callable[[Coroutine[Any, Any, Any]], Any],
) -> None:
    """Roots and leaves on both sides change a hundred times, overlapping as a mesh does it; handshakes run all the while."""
    handshakes, failures = run(_rotations(100))
    print(f"100 rotations, {handshakes} handshakes, {failures} failed")
    assert failures == 0
    assert handshakes >= 100


async def _rotations(rotations: int) -> tuple[int, int]:
    edges, shops = FixedSource(edge()), FixedSource(identity(mint(CA, SHOP), CA))
    dialler, listener = RotatingContexts(edges, TO_SHOP), RotatingContexts(shops, CALLERS)
    over = asyncio.Event()
    done = [0, 0]

    def look(session: ssl.SSLObject) -> object:
        found = listener.verify(session)
        return None if isinstance(found, Peer) else found

    async def calling(port: int) -> None:
        while not over.is_set():
            try:
                line = await call(port, dialler.context)
                found = dialler.verify(line.session)
                assert isinstance(found, Peer), found
                await line.ask()
                await line.end()
                done[0] += 1
            except OSError as error:
                done[1] += 1
                print(repr(error))

    async with serving(listener.context, look) as service:
        callers = [asyncio.ensure_future(calling(service.port)) for _ in range(4)]
        signer = CA
        for number in range(rotations):
            before = done[0]
            if number % 5 == 0:  # a new root: first trusted beside the old one, then signed with
                new = root()
                for source, uri in ((edges, EDGE), (shops, SHOP)):
                    source.publish(identity(mint(signer, uri), signer, new))
                signer, old = new, signer
            for source, uri in ((edges, EDGE), (shops, SHOP)):
                source.publish(identity(mint(signer, uri), signer, old))
            while done[0] + done[1] < before + 1:
                await asyncio.sleep(0.001)
        over.set()
        await asyncio.gather(*callers)
        assert service.refused == []
    return done[0], done[1]


def test_a_listener_without_an_identity_refuses_and_recovers() -> None:
    """It hangs nobody up by accident, leaks no socket, and serves as soon as it has one; on both loops."""
    on_each_loop(_without_identity)


async def _without_identity() -> None:
    shops = FixedSource()
    listener = RotatingContexts(shops, CALLERS)
    dialler = RotatingContexts(FixedSource(edge()), TO_SHOP)
    async with serving(listener.context) as service:
        with pytest.raises(OSError, match=r".*"):
            await call(service.port, dialler.context)
        shops.publish(identity(mint(CA, SHOP), CA))
        line = await call(service.port, dialler.context)
        assert await line.ask() == b"ping"
        await line.end()
    gc.collect()  # a socket left open would be a ResourceWarning: an error here

"""An identity from Consul's Connect API, against an agent that blocks, forgets, fails and rotates as a real one does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from certs import consul_connect as module
from certs.backoff import MAX_S
from certs.consul_connect import LEAF_PATH, ROOTS_PATH, WAIT_S, Answer, ConsulConnectSource, next_index, read_roots
from tests.unit.certs.mint import Minted, mint, root

CLUSTER = "11111111-2222-3333-4444-555555555555"
DOMAIN = f"{CLUSTER}.consul"
EDGE = f"spiffe://{DOMAIN}/ns/default/dc/dc1/svc/edge"
LEAF = LEAF_PATH + "edge"


def consul_root(**more: Any) -> Minted:
    return root(DOMAIN, **more)


def leaf_body(leaf: Minted) -> dict[str, Any]:
    """As an agent answers: PEMs with a line break at the end, dates nobody needs."""
    return {
        "SerialNumber": "08", "CertPEM": leaf.chain_pem.decode(), "PrivateKeyPEM": leaf.key_pem.decode(), "Service": "edge",
        "ServiceURI": EDGE, "ValidAfter": "2026-01-01T00:00:00Z", "ValidBefore": "2026-01-04T00:00:00Z", "ModifyIndex": 5,
    }  # fmt: skip


def roots_body(*roots: Minted, external: str = CLUSTER) -> dict[str, Any]:
    listed = [
        {"ID": str(number), "RootCert": one.pem.decode(), "IntermediateCerts": None, "Active": number == 0, "ExternalTrustDomain": external}
        for number, one in enumerate(roots)
    ]  # fmt: skip
    return {"ActiveRootID": "0", "TrustDomain": DOMAIN, "Roots": listed}


class Agent:
    """Answers per path: a body with an index, or an error to raise. A query with the current index blocks until there is a new one."""

    def __init__(self) -> None:
        self.bodies: dict[str, Any] = {}
        self.indexes = {LEAF: 0, ROOTS_PATH: 0}
        self.asked: list[tuple[str, int]] = []
        self.waits: set[float] = set()
        self.changed = asyncio.Event()
        self.blocking = 0

    def set(self, path: str, body: Any, index: int | None = None) -> None:
        self.bodies[path] = body
        self.indexes[path] = self.indexes[path] + 10 if index is None else index
        self.changed.set()
        self.changed = asyncio.Event()

    async def get(self, path: str, *, index: int, wait_s: float) -> Answer:
        self.asked.append((path, index))
        self.waits.add(wait_s)
        while path not in self.bodies or (index and self.indexes[path] == index):
            self.blocking += 1
            await self.changed.wait()
            self.blocking -= 1
        body = self.bodies[path]
        if isinstance(body, BaseException):
            raise body
        return Answer(body, self.indexes[path])

    def queries(self, path: str) -> list[int]:
        return [index for asked, index in self.asked if asked == path]


@asynccontextmanager
async def following(agent: Agent, **more: Any) -> AsyncIterator[ConsulConnectSource]:
    source = ConsulConnectSource(agent, "edge", pause_s=0.001, rand=lambda: 0.0, **more)
    await source.start()
    try:
        yield source
    finally:
        await source.stop()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff is tested by itself."""
    monkeypatch.setattr(module, "backoff_s", lambda failures, rand: 0.002)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


async def comes(source: ConsulConnectSource, leaf: Minted) -> None:
    await until(lambda: (now := source.current()) is not None and now.chain[0] == leaf.der)


async def test_leaf_and_roots_make_an_identity() -> None:
    """In whichever order they come; then both queries stay open, on the index answered, as long as Consul lets them."""
    for first, second in ((LEAF, ROOTS_PATH), (ROOTS_PATH, LEAF)):
        agent, ca = Agent(), consul_root()
        leaf = mint(ca, EDGE, name=None)
        bodies = {LEAF: leaf_body(leaf), ROOTS_PATH: roots_body(ca)}
        async with following(agent) as source:
            agent.set(first, bodies[first])
            await asyncio.sleep(0.01)
            assert source.current() is None
            assert source.fault() is None
            agent.set(second, bodies[second])
            await comes(source, leaf)
            await until(lambda: agent.blocking == 2)  # noqa: B023  # awaited within the turn
            assert agent.waits == {WAIT_S}
            assert agent.queries(LEAF)[-1] == agent.indexes[LEAF]
        found = source.current()
        assert found is not None
        assert found.bundles == {DOMAIN: {ca.der}}


async def test_a_new_leaf_is_taken_when_the_query_returns() -> None:
    """And the same leaf with a new index tells nobody."""
    agent, ca = Agent(), consul_root()
    first, second = mint(ca, EDGE), mint(ca, EDGE)
    agent.set(ROOTS_PATH, roots_body(ca))
    agent.set(LEAF, leaf_body(first))
    async with following(agent) as source:
        await comes(source, first)
        heard: list[int] = []
        source.watch(lambda: heard.append(1))
        agent.set(LEAF, leaf_body(first))
        agent.set(ROOTS_PATH, roots_body(ca))
        await until(lambda: agent.blocking == 2)
        assert heard == []
        agent.set(LEAF, leaf_body(second))
        await comes(source, second)
        assert heard == [1]


async def test_a_root_rotation() -> None:
    """Roots first, the leaf after, and the other way round: always all roots, always a leaf that verifies."""
    old, new = consul_root(), consul_root()
    first, second = mint(old, EDGE), mint(new, EDGE)
    for order in ((ROOTS_PATH, LEAF), (LEAF, ROOTS_PATH)):
        agent = Agent()
        agent.set(ROOTS_PATH, roots_body(old))
        agent.set(LEAF, leaf_body(first))
        async with following(agent) as source:
            await comes(source, first)
            for path in order:
                agent.set(path, roots_body(new, old) if path == ROOTS_PATH else leaf_body(second))
                await asyncio.sleep(0.02)
                assert source.current() is not None
            await comes(source, second)
            found = source.current()
            assert found is not None
            assert found.bundles[DOMAIN] == {old.der, new.der}
            assert source.fault() is None


async def test_a_leaf_that_comes_before_its_root_is_no_fault() -> None:
    """The roots are asked for as they are now, though their query is still open; nothing is rejected or logged as an error."""
    agent, old, new = Agent(), consul_root(), consul_root()
    agent.set(ROOTS_PATH, roots_body(old))
    agent.set(LEAF, leaf_body(first := mint(old, EDGE)))
    async with following(agent) as source:
        await comes(source, first)
        await until(lambda: agent.blocking == 2)
        agent.bodies[ROOTS_PATH] = roots_body(new, old)  # the open query has not returned yet
        with capture_logs() as said:
            agent.set(LEAF, leaf_body(second := mint(new, EDGE)))
            await comes(source, second)
        assert [entry["event"] for entry in said] == ["certificate_received"]


async def test_a_query_stays_open_no_longer_than_a_backoff() -> None:
    """So that an agent that lost its memory between two queries is found out by then."""
    assert WAIT_S <= MAX_S


async def test_a_leaf_that_does_not_verify_is_asked_for_anew() -> None:
    """At index 0, which has the agent look at the current root (Consul #10871); the last good one stays meanwhile."""
    agent, ca = Agent(), consul_root()
    good = mint(ca, EDGE)
    agent.set(ROOTS_PATH, roots_body(ca))
    agent.set(LEAF, leaf_body(good))
    async with following(agent) as source:
        await comes(source, good)
        agent.set(LEAF, leaf_body(mint(consul_root(), EDGE)))
        await until(lambda: "unable to get local issuer" in (source.fault() or ""))
        await until(lambda: agent.queries(LEAF)[-1] == 0)
        now = source.current()
        assert now is not None
        assert now.chain[0] == good.der
        agent.set(LEAF, leaf_body(better := mint(ca, EDGE)))
        await comes(source, better)
        assert source.fault() is None


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (LEAF, ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (LEAF, OSError("403: Permission denied"), "403: Permission denied"),
        (ROOTS_PATH, TimeoutError(), "TimeoutError"),
        (LEAF, {}, "no CertPEM in it"),
        (LEAF, None, "no CertPEM in it"),
        (LEAF, [], "no CertPEM in it"),
        (LEAF, {"CertPEM": 5}, "no CertPEM in it"),
        (LEAF, {"CertPEM": "x", "PrivateKeyPEM": "y"}, "no PEM certificate"),
        (ROOTS_PATH, {"TrustDomain": DOMAIN, "Roots": None}, "no Roots in it"),
        (ROOTS_PATH, {"TrustDomain": DOMAIN, "Roots": []}, "Consul has no root yet"),
        (ROOTS_PATH, {"TrustDomain": DOMAIN, "Roots": [None]}, "no RootCert in it"),
        (ROOTS_PATH, {"Roots": []}, "no TrustDomain in it"),
        (
            ROOTS_PATH,
            {"TrustDomain": "other.consul", "Roots": [{"RootCert": consul_root().pem.decode()}]},
            "roots: none of",
        ),
        (LEAF, RuntimeError("bug in the client"), "bug in the client"),
    ],
)
async def test_a_bad_answer_keeps_the_last_good_one(path: str, body: Any, reason: str) -> None:
    """Agent gone, token revoked, garbage: the reason names the path, the query starts over at 0, and a good answer heals it."""
    agent, ca = Agent(), consul_root()
    leaf = mint(ca, EDGE)
    agent.set(ROOTS_PATH, roots_body(ca))
    agent.set(LEAF, leaf_body(leaf))
    async with following(agent) as source:
        await comes(source, leaf)
        agent.set(path, body)
        await until(lambda: reason in (source.fault() or ""))
        await until(lambda: agent.queries(path)[-1] == 0)
        assert source.current() is not None
        agent.set(ROOTS_PATH, roots_body(ca))
        agent.set(LEAF, leaf_body(better := mint(ca, EDGE)))
        await comes(source, better)
        await until(lambda: source.fault() is None)


async def test_an_agent_that_starts_over() -> None:
    """Its index goes backwards: asked once with 0, then on from there."""
    agent, ca = Agent(), consul_root()
    agent.set(ROOTS_PATH, roots_body(ca), 1000)
    agent.set(LEAF, leaf_body(mint(ca, EDGE)), 1000)
    async with following(agent) as source:
        await until(lambda: agent.blocking == 2)
        agent.set(LEAF, leaf_body(leaf := mint(ca, EDGE)), 3)
        await comes(source, leaf)
        await until(lambda: agent.blocking == 2)
        assert agent.queries(LEAF) == [0, 1000, 0, 3]


async def test_answers_without_an_index_are_not_asked_for_in_a_tight_loop() -> None:
    """A proxy that drops the header must not make us a flood: index 1 at least, and a pause each time."""
    ca = consul_root()
    leaf = mint(ca, EDGE)

    class Hasty(Agent):
        async def get(self, path: str, *, index: int, wait_s: float) -> Answer:
            self.asked.append((path, index))
            return Answer(leaf_body(leaf) if path == LEAF else roots_body(ca), 0)

    agent = Hasty()
    source = ConsulConnectSource(agent, "edge", pause_s=0.05)
    began = time.monotonic()
    await source.start()
    await asyncio.sleep(0.26)
    await source.stop()
    assert len(agent.queries(LEAF)) <= 2 + (time.monotonic() - began) / 0.05


@pytest.mark.parametrize(
    ("asked", "answered", "expected"), [(0, 7, 7), (7, 7, 7), (7, 9, 9), (7, 6, 0), (0, 0, 1), (1, 0, 0), (5, 0, 0)]
)
def test_the_next_index(asked: int, answered: int, expected: int) -> None:
    """Opaque but for going backwards."""
    assert next_index(asked, answered) == expected


def test_former_trust_domains() -> None:
    """ExternalTrustDomain is a cluster's id; its leaves say `<id>.consul`. All roots count for each, being one authority's."""
    old, new = root("old.consul"), consul_root()
    body = roots_body(new)
    body["Roots"].append({"RootCert": old.pem.decode(), "ExternalTrustDomain": "OLD", "Active": False})
    found = read_roots(body)
    assert set(found) == {DOMAIN, "old.consul"}
    assert set(found[DOMAIN]) == set(found["old.consul"]) == {new.certificate, old.certificate}


def test_the_services_name_is_quoted() -> None:
    """A name cannot change the path."""
    source = ConsulConnectSource(Agent(), "a/../b?x")
    assert source._leaf_path == LEAF_PATH + "a%2F..%2Fb%3Fx"


async def test_a_leaf_that_expired_at_the_agent() -> None:
    """Not used (Consul #16779): named, and asked for again."""
    agent, ca = Agent(), consul_root()
    agent.set(ROOTS_PATH, roots_body(ca))
    agent.set(LEAF, leaf_body(mint(ca, EDGE, ends_s=-1)))
    async with following(agent, clock=time.time) as source:
        await until(lambda: "validity: expired" in (source.fault() or ""))
        assert source.current() is None

"""An identity from the SPIFFE Workload API, served by grpcio on a unix socket."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from certs import workload_api as module
from certs.workload_api import WorkloadApiSource
from tests.unit.certs.mint import EDGE, SHOP, TD, Minted, mint, root
from tests.unit.certs.workload_server import Agent, response, serving, svid

CA, OTHER = root(), root("other.test")


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def socket(agent: Agent, tmp_path: Path) -> Iterator[str]:
    with serving(agent, tmp_path / "agent.sock") as address:
        yield address


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff is tested by itself."""
    monkeypatch.setattr(module, "backoff_s", lambda failures, rand: 0.02)


@asynccontextmanager
async def following(socket: str | None, spiffe_id: str | None = None) -> AsyncIterator[WorkloadApiSource]:
    source = WorkloadApiSource(socket, spiffe_id)
    await source.start()
    try:
        yield source
    finally:
        await source.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def comes(source: WorkloadApiSource, leaf: Minted) -> None:
    await until(lambda: (now := source.current()) is not None and now.chain[0] == leaf.der)


async def test_the_first_message_and_each_after_it(agent: Agent, socket: str) -> None:
    """Leaf, intermediates, own bundle; a rotation arrives on the same stream."""
    middle = mint(CA, f"spiffe://{TD}", ca=True, name="middle")
    first, second = mint(middle, EDGE), mint(middle, EDGE)
    agent.say(response([svid(first, EDGE, CA)]))
    async with following(socket) as source:
        await comes(source, first)
        found = source.current()
        assert found is not None
        assert str(found.spiffe_id) == EDGE
        assert found.chain == (first.der, middle.der)
        assert found.bundles == {TD: {CA.der}}
        agent.say(response([svid(second, EDGE, CA)]))
        await comes(source, second)
        assert agent.streams == 1


async def test_federated_bundles_come_and_go(agent: Agent, socket: str) -> None:
    """Each message is the whole truth: a bundle that is missing in it is withdrawn (section 4.4)."""
    leaf = mint(CA, EDGE)
    agent.say(response([svid(leaf, EDGE, CA)], other_test=OTHER))
    async with following(socket) as source:
        await comes(source, leaf)
        found = source.current()
        assert found is not None
        assert found.bundles == {TD: {CA.der}, "other.test": {OTHER.der}}
        agent.say(response([svid(leaf, EDGE, CA)]))
        await until(lambda: (now := source.current()) is not None and now.trust_domains == {TD})


async def test_the_default_identity_and_a_chosen_one(agent: Agent, socket: str) -> None:
    """The first of several, unless one is named; one we are not given is said."""
    edge, shop = mint(CA, EDGE), mint(CA, SHOP)
    agent.say(response([svid(edge, EDGE, CA), svid(shop, SHOP, CA)]))
    async with following(socket) as source:
        await comes(source, edge)
    async with following(socket, SHOP) as source:
        await comes(source, shop)
    async with following(socket, f"spiffe://{TD}/nobody") as source:
        await until(source.fault)
        assert "no certificate for spiffe://td.test/nobody" in (source.fault() or "")
        assert source.current() is None


async def test_not_entitled_any_more(agent: Agent, socket: str) -> None:
    """PERMISSION_DENIED takes the identity away (section 5.2.1); entitled again, it comes back."""
    leaf = mint(CA, EDGE)
    agent.say(response([svid(leaf, EDGE, CA)]))
    async with following(socket) as source:
        await comes(source, leaf)
        agent.say(grpc.StatusCode.PERMISSION_DENIED)
        await until(lambda: source.current() is None)
        assert "PERMISSION_DENIED" in (source.fault() or "")
        agent.say(response([svid(leaf, EDGE, CA)]))
        await comes(source, leaf)
        assert source.fault() is None


@pytest.mark.parametrize("end", [None, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
async def test_a_stream_that_ends_is_opened_again(end: grpc.StatusCode | None, agent: Agent, socket: str) -> None:
    """The last identity stays meanwhile."""
    leaf = mint(CA, EDGE)
    agent.say(response([svid(leaf, EDGE, CA)]))
    async with following(socket) as source:
        await comes(source, leaf)
        agent.say(end)
        await until(lambda: agent.streams >= 2)
        assert source.current() is not None
        assert source.fault()
        agent.say(response([svid(better := mint(CA, EDGE), EDGE, CA)]))
        await comes(source, better)
        assert source.fault() is None


async def test_an_agent_that_starts_later_and_one_that_restarts(agent: Agent, tmp_path: Path) -> None:
    """No socket yet is a reason, not an end."""
    path = tmp_path / "late.sock"
    leaf, better = mint(CA, EDGE), mint(CA, EDGE)
    async with following(f"unix://{path}") as source:
        await until(source.fault)
        assert "does not exist" in (source.fault() or "")
        agent.say(response([svid(leaf, EDGE, CA)]))
        with serving(agent, path):
            await comes(source, leaf)
        await until(source.fault)
        assert source.current() is not None
        agent.say(response([svid(better, EDGE, CA)]))
        with serving(agent, path):
            await comes(source, better)


@pytest.mark.parametrize(
    "bad",
    [
        response([]),
        response([svid(mint(CA, EDGE), EDGE)]),
        response([svid(mint(CA, EDGE), EDGE, OTHER)]),
        response([svid(mint(CA, EDGE, SHOP), EDGE, CA)]),
        response([svid(mint(CA, EDGE, ca=True, usages=("digital_signature",)), EDGE, CA)]),
        response([svid(mint(CA, EDGE, ends_s=-1), EDGE, CA)]),
        response([svid(mint(CA, EDGE, purposes=None), EDGE, CA)]),
    ],
    ids=["empty", "no bundle", "wrong bundle", "two URIs", "CA", "expired", "no purposes"],
)
async def test_a_bad_message_is_discarded(bad: Any, agent: Agent, socket: str) -> None:
    """The last good identity stays (section 4.5)."""
    leaf = mint(CA, EDGE)
    agent.say(response([svid(leaf, EDGE, CA)]))
    async with following(socket) as source:
        await comes(source, leaf)
        agent.say(bad)
        await until(source.fault)
        await asyncio.sleep(0.05)
        now = source.current()
        assert now is not None
        assert now.chain[0] == leaf.der
        agent.say(response([svid(better := mint(CA, EDGE), EDGE, CA)]))
        await comes(source, better)


async def test_nothing_is_left_when_it_stops(agent: Agent, socket: str) -> None:
    """Neither a thread nor a stream, whatever it was doing."""
    before = threading.active_count()
    agent.say(response([svid(mint(CA, EDGE), EDGE, CA)]))
    for pause_s in (0.0, 0.001, 0.05, 0.3):
        source = WorkloadApiSource(socket)
        await source.start()
        await asyncio.sleep(pause_s)
        await source.stop()
        await source.stop()
    await until(lambda: not agent._waiting)
    end = time.monotonic() + 20
    while threading.active_count() > before + 4 and time.monotonic() < end:  # the server's own pool has four
        await asyncio.sleep(0.02)
    assert threading.active_count() <= before + 4


async def test_the_environment_says_where(agent: Agent, socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPIFFE_ENDPOINT_SOCKET, as the Workload Endpoint standard has it; without it, the reason."""
    leaf = mint(CA, EDGE)
    agent.say(response([svid(leaf, EDGE, CA)]))
    monkeypatch.setenv("SPIFFE_ENDPOINT_SOCKET", socket)
    async with following(None) as source:
        await comes(source, leaf)
    monkeypatch.delenv("SPIFFE_ENDPOINT_SOCKET")
    async with following(None) as source:
        await until(source.fault)
        assert "socket must be set" in (source.fault() or "")

"""
Losing the real Consul: killed for a while, silent, started again without a memory, its token revoked and rotated.

What must hold is the same each time: no instance is taken away by it, the alarm says what is wrong, and all is well again by itself.
A test prints its figures.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.discovery import ServiceWatch
from edge.consul.lookup import Lookup
from edge.consul.query import Manners
from edge.consul.registration import Registration
from edge.consul.token import TokenSource
from edge.consul.transport import Place
from edge.core.consul_definition import Check, Definition
from edge.core.consul_instances import Instance
from edge.core.consul_last_good import Alarm
from tests.consul.scenes import asked, revoke, token_with, until
from tests.peers.consul_agent import ConsulAgent, running_agent

OUTAGE_S = float(os.environ.get("EDGE_CONSUL_OUTAGE_S", "6"))
"""How long Consul is gone; 60 for the full figure."""

READ_ALL = {"service_prefix": {"": {"policy": "read"}}, "node_prefix": {"": {"policy": "read"}}}
QUICK = Manners(block_s=4.0, backoff_initial_s=0.1, backoff_max_s=1.0)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@contextmanager
def agent(folder: Path, *, acl: bool = False, durable: bool = False) -> Iterator[ConsulAgent]:
    """One of the test's own."""
    with running_agent(folder / "agent", acl=acl, durable=durable) as running:
        yield running


@asynccontextmanager
async def upkeep(
    place: AgentPlace, *work: str
) -> AsyncIterator[tuple[ServiceWatch, list[tuple[Instance, ...]], Registration]]:
    """A watch of `web`, what it published, and a registration of `web` with a TTL that is kept when `work` says so."""
    published: list[tuple[Instance, ...]] = []
    async with ConsulClient(place) as client:
        watch = ServiceWatch(client, Lookup(service="web"), published.append, QUICK)
        definition = Definition("web", "web-1", 8001, "127.0.0.1", checks=(Check("ttl", interval_s=3.0),))
        registration = Registration(client, definition, upkeep_s=0.5)
        tasks = [asyncio.create_task(watch.run())]
        if "keep" in work:
            tasks.append(asyncio.create_task(registration.keep()))
        try:
            yield watch, published, registration
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def has_instance(watch: ServiceWatch) -> bool:
    """Whether calls could go somewhere."""
    return len(watch.state().instances) == 1


@pytest.mark.parametrize("durable", [True, False], ids=["with its memory", "without its memory"])
async def test_killed_and_started_again(real_folder: Path, durable: bool) -> None:
    """The set outlives the outage; the registration is made again where it was lost; the index that starts over does no harm."""
    with agent(real_folder, durable=durable) as consul:
        async with upkeep(AgentPlace(Place(consul.url)), "keep") as (watch, published, registration):
            await until(lambda: has_instance(watch), "the instance")
            before = len(published)
            consul.kill()
            began = time.monotonic()
            await until(lambda: watch.state().alarm is Alarm.UNREACHABLE, "the alarm")
            noticed = time.monotonic() - began
            while time.monotonic() - began < OUTAGE_S:
                assert has_instance(watch)
                await asyncio.sleep(0.05)
            assert registration.state().problem
            await asyncio.to_thread(consul.start)
            back = time.monotonic()
            await until(lambda: watch.state().alarm is None, "well again", 60.0)
            recovered = time.monotonic() - back
            await until(lambda: not registration.state().problem, "registered again")
            assert has_instance(watch)
            assert () not in published[before:]
            figures = f"alarm after {noticed:.2f} s, well {recovered:.2f} s after its start"
            print(f"gone {OUTAGE_S:.0f} s: {figures}, sets published meanwhile: {len(published) - before}")


async def test_silent(real_folder: Path) -> None:
    """Stopped without closing its connections: noticed when the query's time is over, not before, and never by an empty set."""
    with agent(real_folder) as consul:
        await asked(consul, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 8001})
        async with upkeep(AgentPlace(Place(consul.url))) as (watch, published, _):
            await until(lambda: has_instance(watch), "the instance")
            consul.pause()
            try:
                await until(lambda: watch.state().alarm is Alarm.UNREACHABLE, "the alarm", 40.0)
            finally:
                consul.resume()
            assert has_instance(watch)
            await until(lambda: watch.state().alarm is None, "well again", 30.0)
            assert () not in published


async def test_started_again_without_memory_is_doubted(real_folder: Path) -> None:
    """Nobody registers again: the empty answer is not believed at once, and the state says so."""
    with agent(real_folder) as consul:
        await asked(consul, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 8001})
        async with upkeep(AgentPlace(Place(consul.url))) as (watch, published, _):
            await until(lambda: has_instance(watch), "the instance")
            consul.kill()
            await asyncio.to_thread(consul.start)
            await until(lambda: watch.state().alarm is Alarm.DOUBTED, "doubt", 30.0)
            assert has_instance(watch)
            await asked(consul, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 8002})
            await until(lambda: [each.port for each in watch.state().instances] == [8002], "the new one")
            await until(lambda: watch.state().alarm is None, "well again")
            assert () not in published


async def test_token_revoked_and_rotated(real_folder: Path) -> None:
    """The last good set is kept under an alarm; a new token in the file ends it, without a restart."""
    with agent(real_folder, acl=True) as consul:
        await asked(consul, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 8001})
        secret, accessor = await token_with(consul, READ_ALL)
        file = real_folder / "token"
        file.write_text(secret)
        place = AgentPlace(Place(consul.url), TokenSource(file=file))
        async with upkeep(place) as (watch, published, _):
            await until(lambda: has_instance(watch), "the instance")
            began = time.monotonic()
            await revoke(consul, accessor)
            await until(lambda: watch.state().alarm is not None, "an alarm", 40.0)
            print(f"revoked: {watch.state().alarm} after {time.monotonic() - began:.2f} s: {watch.state().reason}")
            await asyncio.sleep(2.0)
            assert watch.state().alarm in {Alarm.DENIED, Alarm.FILTERED}
            assert has_instance(watch)
            other, _ = await token_with(consul, READ_ALL)
            replacement = real_folder / "token.new"
            replacement.write_text(other)
            replacement.replace(file)
            await until(lambda: watch.state().alarm is None, "well again", 30.0)
            await asked(consul, "PUT", "/v1/agent/service/register", {"Name": "web", "Port": 8002})
            await until(lambda: [each.port for each in watch.state().instances] == [8002], "it follows changes again")
            assert () not in published

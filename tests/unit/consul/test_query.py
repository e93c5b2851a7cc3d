"""The manners of a loop: when it asks, with which index, and how long it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

from aiohttp import web

from edge.consul.answer import ConsulError
from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.query import BlockingQuery, Heard, Manners, PeriodicQuery, Question
from edge.consul.transport import Place
from tests.unit.consul.serving import Server, answering

FAST = Manners(block_s=1.5, backoff_initial_s=0.01, backoff_max_s=0.02, per_s=1e6, burst=1000, rand=lambda: 0.5)


@asynccontextmanager
async def scripted(answers: Sequence[int | str]) -> AsyncIterator[tuple[ConsulClient, Server]]:
    """An agent that answers with these indexes in turn; "stream 7" streams, "500" fails."""
    script = iter(answers)

    async def answer(request: web.BaseRequest) -> web.Response:
        said = str(next(script))
        if said == "500":
            return web.Response(status=500, text="No cluster leader")
        headers = {"X-Consul-Index": said.split()[-1]}
        if said.startswith("stream"):
            headers["X-Consul-Query-Backend"] = "streaming"
        return web.json_response([], headers=headers)

    async with answering(answer) as server, ConsulClient(AgentPlace(Place(server.url))) as client:
        yield client, server


def indexes(server: Server) -> list[str | None]:
    """What was asked for."""
    return [request.query.get("index") for request in server.asked]


async def restarts(query: BlockingQuery, count: int) -> list[bool | None]:
    """Of so many answers, whether Consul started anew; None for a failure."""
    heard = [await query.next() for _ in range(count)]
    return [each.restarted if isinstance(each, Heard) else None for each in heard]


async def test_index_is_followed_and_reset_when_it_goes_backwards() -> None:
    """0 is sent as no index, and counts as 1 when it is received."""
    async with scripted([5, 5, 9, 3, 3, 0]) as (client, server):
        query = BlockingQuery(client, Question("/v1/x", (("tag", "a"),), "x"), FAST)
        assert await restarts(query, 6) == [False, False, False, True, False, True]
        assert indexes(server) == [None, "5", "5", "9", None, "3"]
        assert {request.query["tag"] for request in server.asked} == {"a"}
        assert {request.query.get("wait") for request in server.asked} == {None, "1500ms"}


async def test_failure_starts_over() -> None:
    """The next query does not block, and is no restart."""
    async with scripted([5, "500", 4, 6]) as (client, server):
        query = BlockingQuery(client, Question("/v1/x"), FAST)
        assert await restarts(query, 4) == [False, None, False, False]
        assert indexes(server) == [None, "5", None, "4"]


async def test_backends_count_apart() -> None:
    """The streaming backend's lower index is no restart of Consul."""
    async with scripted([9, "stream 5", 9, "stream 12", "stream 3"]) as (client, _):
        query = BlockingQuery(client, Question("/v1/x"), FAST)
        assert await restarts(query, 5) == [False, False, False, False, True]


async def test_confirmation_does_not_block_and_moves_no_index() -> None:
    """Else the streaming backend would answer at once, again and again."""
    async with scripted([9, "stream 12", 10, "stream 12"]) as (client, server):
        query = BlockingQuery(client, Question("/v1/x"), FAST)
        await restarts(query, 2)
        heard = await query.next(confirm=True)
        assert isinstance(heard, Heard)
        assert heard.answer.index == 10
        await query.next()
        assert indexes(server) == [None, "9", None, "12"]


async def test_wait_is_shortened_when_asked_to() -> None:
    """A doubt is over at a certain time; never 0, which would be Consul's default of five minutes."""
    async with scripted([5, 5, 5]) as (client, server):
        query = BlockingQuery(client, Question("/v1/x"), FAST)
        await query.next()
        await query.next(0.25)
        await query.next(0.0)
        assert [request.query.get("wait") for request in server.asked] == [None, "250ms", "10ms"]


async def test_failures_are_spaced_more_and_more() -> None:
    """From the first backoff on, doubling, to the longest."""
    manners = Manners(backoff_initial_s=0.05, backoff_max_s=0.2, per_s=1e6, burst=1000, rand=lambda: 0.5)
    async with scripted(["500"] * 5) as (client, _):
        query, loop, times = BlockingQuery(client, Question("/v1/x"), manners), asyncio.get_running_loop(), []
        for _ in range(5):
            assert isinstance(await query.next(), ConsulError)
            times.append(loop.time())
        gaps = [later - earlier for earlier, later in pairwise(times)]
        for gap, least in zip(gaps, (0.05, 0.1, 0.2, 0.2), strict=True):
            assert gap >= least * 0.95


async def test_answers_that_come_at_once_do_not_spin() -> None:
    """After the burst, the pace."""
    manners = Manners(per_s=20.0, burst=2, rand=lambda: 0.5)
    async with scripted(range(1, 99)) as (client, _):
        query, loop = BlockingQuery(client, Question("/v1/x"), manners), asyncio.get_running_loop()
        began = loop.time()
        for _ in range(6):
            await query.next()
        assert loop.time() - began >= 4 / 20.0 * 0.95


async def test_periodic_query() -> None:
    """At once, then at its interval; a failure is followed by the backoff alone."""
    async with scripted([1, 1, "500", 1]) as (client, server):
        query, loop = PeriodicQuery(client, Question("/v1/q", needs="x"), 0.2, FAST), asyncio.get_running_loop()
        began = loop.time()
        await query.next()
        assert loop.time() - began < 0.2
        await query.next()
        assert loop.time() - began >= 0.19
        await query.next(within_s=0.01)
        assert isinstance(await query.next(), Heard)
        assert indexes(server) == [None] * 4

"""Who waits, who goes first, and what is given back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from edge.outcome import Fault, Refusal
from edge.upstream.connection import Connection
from edge.upstream.dial import Security
from edge.upstream.endpoint import Dialled
from edge.upstream.slots import Slots
from tests.unit.upstream.scripted import scripted, until
from tests.unit.upstream.services import plan, serving


async def slots_to(port: int, *, max_pending: int = 10) -> Slots:
    return Slots("test", [("127.0.0.1", port)], plan(), max_connections=1, max_pending=max_pending)


async def granted(slots: Slots, deadline: float | None = None) -> Connection:
    connection = slots.take() or await slots.wait(deadline)
    assert isinstance(connection, Connection), connection
    return connection


async def test_those_who_wait_are_served_in_order() -> None:
    async with scripted() as server:
        slots = await slots_to(server.port)
        connection = await granted(slots)
        connection.max_streams = 0
        order: list[int] = []

        async def waiter(number: int) -> None:
            await granted(slots)
            order.append(number)
            slots.pump()

        waiting = [asyncio.ensure_future(waiter(number)) for number in range(5)]
        await asyncio.sleep(0)
        assert slots.state()[1] == 5
        connection.max_streams = 1
        slots.pump()
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2, 3, 4]
        assert connection.reserved == 0
        await slots.close(1)


async def test_a_call_cancelled_with_a_stream_in_hand_gives_it_back() -> None:
    async with scripted() as server:
        slots = await slots_to(server.port)
        connection = await granted(slots)
        connection.max_streams = 0
        first, second = asyncio.ensure_future(granted(slots)), asyncio.ensure_future(granted(slots))
        await asyncio.sleep(0)
        connection.max_streams = 1
        slots.pump()
        assert connection.reserved == 1
        first.cancel()  # the grant has been made, the task has not run yet
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second is connection
        assert connection.reserved == 0
        await slots.close(1)


async def test_a_cancelled_or_late_waiter_leaves_the_queue() -> None:
    async with scripted() as server:
        slots = await slots_to(server.port)
        connection = await granted(slots)
        connection.max_streams = 0
        loop = asyncio.get_running_loop()
        cancelled = asyncio.ensure_future(granted(slots))
        late = asyncio.ensure_future(slots.wait(loop.time() + 0.01))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert await late == Refusal(Fault.DEADLINE_EXCEEDED)
        await asyncio.gather(cancelled, return_exceptions=True)
        assert slots.state()[1] == 0
        await slots.close(1)


async def test_everyone_who_waits_hears_of_a_failed_dial() -> None:
    with serving() as gone:
        pass
    slots = await slots_to(gone.port)
    assert slots.take() is None
    outcomes = await asyncio.gather(*(slots.wait(None) for _ in range(5)))
    assert all(isinstance(outcome, Refusal) and outcome.fault is Fault.UPSTREAM_UNAVAILABLE for outcome in outcomes)
    refusal = slots.take()
    assert isinstance(refusal, Refusal), "in backoff: no waiting"
    assert 0 < (refusal.retry_after_s or 0) < 0.07
    await slots.close(1)


async def test_the_next_endpoint_is_tried_when_one_fails() -> None:
    with serving() as gone:
        pass
    async with scripted() as server:
        slots = Slots(
            "test", [("127.0.0.1", gone.port), ("127.0.0.1", server.port)], plan(), max_connections=1, max_pending=10
        )
        connection = await granted(slots)
        assert connection.address.endswith(str(server.port))
        await slots.close(1)


async def test_closing_ends_waiting_and_dialling() -> None:
    async with scripted(silent=True) as server:
        slots = await slots_to(server.port)
        assert slots.take() is None
        waiting = asyncio.ensure_future(slots.wait(None))
        await until(lambda: bool(server.peers))
        await slots.close(0)
        assert await waiting == Refusal(Fault.SHUTTING_DOWN)
        assert slots.take() == Refusal(Fault.SHUTTING_DOWN)


async def test_replacing_keeps_what_stays_and_lets_the_rest_finish() -> None:
    """A known endpoint keeps its connection whatever its weight; one that is gone takes no calls and closes after its last."""
    async with scripted() as stays, scripted() as goes:
        slots = Slots("test", [], plan(), max_connections=1, max_pending=10)
        here, there = Dialled("127.0.0.1", stays.port), Dialled("127.0.0.1", goes.port)
        slots.replace([there])
        leaving = await granted(slots)
        leaving.reserved += 1  # a call on it
        slots.replace([here, there])
        slots.replace([replace(here, weight=7)])
        kept = await granted(slots)
        assert kept.address == f"127.0.0.1:{stays.port}"
        assert not leaving.accepting
        assert not leaving.gone.done()
        leaving.give_back()
        await leaving.gone
        slots.replace([replace(here, weight=2)])
        assert slots.take() is kept
        assert [each.address for each in slots.state()[0]] == [kept.address]
        await slots.close(1)


async def test_an_endpoint_that_expects_somebody_else_is_another() -> None:
    """The same address with another identity gets a connection of its own, and that identity's security."""
    async with scripted() as server:
        slots = Slots("test", [], plan(), max_connections=1, max_pending=10)
        slots.replace([Dialled("127.0.0.1", server.port, expects=("a",))])
        first = await granted(slots)
        refusing = Security(None, None, lambda _: None, fault=lambda: "nobody may answer")
        slots.replace([Dialled("127.0.0.1", server.port, expects=("b",), security=refusing)])
        refused = slots.take() or await slots.wait(None)
        assert isinstance(refused, Refusal)
        assert "nobody may answer" in (refused.detail or "")
        await first.gone
        await slots.close(1)


async def test_calls_wait_for_endpoints_that_are_looked_up() -> None:
    """Who came before the first set is served by it."""
    async with scripted() as server:
        slots = Slots("test", [], plan(), max_connections=1, max_pending=10)
        slots.seek(30, lambda: "nobody knows")
        waiting = asyncio.ensure_future(granted(slots))
        await asyncio.sleep(0)
        slots.replace([Dialled("127.0.0.1", server.port)])
        assert (await waiting).accepting
        slots.replace([])
        assert slots.take() == Refusal(Fault.UPSTREAM_UNAVAILABLE, "nobody knows")
        await slots.close(1)


async def test_the_look_up_holds_calls_for_so_long_only() -> None:
    slots = Slots("test", [], plan(), max_connections=1, max_pending=10)
    slots.seek(0.01, lambda: "nobody knows")
    assert await slots.wait(None) == Refusal(Fault.UPSTREAM_UNAVAILABLE, "nobody knows")
    assert slots.take() == Refusal(Fault.UPSTREAM_UNAVAILABLE, "nobody knows")
    await slots.close(1)


async def test_a_dial_under_way_to_an_endpoint_that_is_gone_is_given_up() -> None:
    async with scripted(silent=True) as server:
        slots = Slots("test", [("127.0.0.1", server.port)], plan(), max_connections=1, max_pending=10)
        assert slots.take() is None
        waiting = asyncio.ensure_future(slots.wait(None))
        await until(lambda: bool(server.peers))
        slots.replace([])
        assert isinstance(await waiting, Refusal)
        await slots.close(1)


async def test_draining_asks_each_connection() -> None:
    async with scripted() as server:
        slots = await slots_to(server.port)
        connection = await granted(slots)
        assert slots.drain_where(lambda _: None) == {}
        assert connection.accepting
        assert slots.drain_where(lambda each: "old" if each is connection else None) == {"old": 1}
        await connection.gone
        await slots.close(1)

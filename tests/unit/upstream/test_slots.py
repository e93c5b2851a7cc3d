"""Who waits, who goes first, and what is given back."""

from __future__ import annotations

import asyncio

import pytest

from edge.outcome import Fault, Refusal
from edge.upstream.connection import Connection
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
        connection._max_streams = 0
        order: list[int] = []

        async def waiter(number: int) -> None:
            await granted(slots)
            order.append(number)
            slots.pump()

        waiting = [asyncio.ensure_future(waiter(number)) for number in range(5)]
        await asyncio.sleep(0)
        assert slots.state()[1] == 5
        connection._max_streams = 1
        slots.pump()
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2, 3, 4]
        assert connection.reserved == 0
        await slots.close(1)


async def test_a_call_cancelled_with_a_stream_in_hand_gives_it_back() -> None:
    async with scripted() as server:
        slots = await slots_to(server.port)
        connection = await granted(slots)
        connection._max_streams = 0
        first, second = asyncio.ensure_future(granted(slots)), asyncio.ensure_future(granted(slots))
        await asyncio.sleep(0)
        connection._max_streams = 1
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
        connection._max_streams = 0
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

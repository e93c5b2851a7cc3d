"""A moving deadline in virtual time."""

from __future__ import annotations

import asyncio

from edge.ingress.lazy_timer import LazyTimer
from tests.unit.ingress.doubles import run


def test_the_last_deadline_counts() -> None:
    async def scenario() -> None:
        loop, fired = asyncio.get_running_loop(), list[float]()
        start = loop.time()
        timer = LazyTimer(loop, lambda: fired.append(loop.time() - start))
        timer.at(start + 10)
        timer.at(start + 30)  # later: the armed timer finds out
        await asyncio.sleep(29)
        assert fired == []
        await asyncio.sleep(2)
        assert [round(at) for at in fired] == [30]
        timer.at(start + 100)
        timer.at(start + 40)  # earlier: armed anew
        await asyncio.sleep(70)
        assert [round(at) for at in fired] == [30, 40]

    run(scenario())


def test_off_and_close() -> None:
    async def scenario() -> None:
        loop, fired = asyncio.get_running_loop(), list[float]()
        timer = LazyTimer(loop, lambda: fired.append(loop.time()))
        timer.at(loop.time() + 1)
        timer.off()
        await asyncio.sleep(5)
        timer.at(loop.time() + 1)
        timer.close()
        await asyncio.sleep(5)
        assert fired == []

    run(scenario())


def test_moving_later_arms_nothing() -> None:
    """The point of it: a kept connection's requests cost no loop timers."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        armed = 0
        original = loop.call_at

        def counted(*args: object, **kwargs: object) -> asyncio.TimerHandle:
            nonlocal armed
            armed += 1
            return original(*args, **kwargs)  # type: ignore[arg-type]  # passed through

        loop.call_at = counted  # type: ignore[method-assign]  # counted
        timer = LazyTimer(loop, lambda: None)
        for step in range(1000):
            timer.at(loop.time() + 60 + step)
        assert armed == 1
        timer.close()

    run(scenario())


def test_by_never_moves_a_deadline_later() -> None:
    async def scenario() -> None:
        loop, fired = asyncio.get_running_loop(), list[float]()
        start = loop.time()
        timer = LazyTimer(loop, lambda: fired.append(loop.time() - start))
        timer.by(start + 10)
        for second in range(1, 9):
            await asyncio.sleep(1)
            timer.by(start + second + 10)
        await asyncio.sleep(3)
        assert [round(at) for at in fired] == [10]
        timer.at(start + 60)
        timer.by(start + 40)
        await asyncio.sleep(50)
        assert [round(at) for at in fired] == [10, 40]

    run(scenario())

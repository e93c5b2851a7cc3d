"""One timer for all the calls of a connection: each ends at its deadline, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from edge.upstream.deadlines import Deadlines
from tests.unit.ingress.doubles import run


@dataclass
class Timed:
    """A stream that notes when it expired, and is gone then."""

    streams: dict[int, Timed]
    number: int
    deadline: float
    then: Callable[[], None] = lambda: None
    expired: list[float] = field(default_factory=list)

    def expire(self) -> None:
        del self.streams[self.number]
        self.expired.append(asyncio.get_running_loop().time())
        self.then()


class Connection:
    """Streams and their deadlines."""

    def __init__(self) -> None:
        self.streams: dict[int, Timed] = {}
        self.loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(self.loop, self.streams)

    def open(self, in_s: float, then: Callable[[], None] = lambda: None) -> Timed:
        number = len(self.streams) + 1000 * int(self.loop.time() * 10)
        stream = self.streams[number] = Timed(self.streams, number, self.loop.time() + in_s, then)
        self.deadlines.watch(stream.deadline)
        return stream


def test_each_stream_expires_at_its_own_deadline() -> None:
    """In whatever order they came."""

    async def scenario() -> None:
        connection = Connection()
        start = connection.loop.time()
        late, early, never = connection.open(3.0), connection.open(1.0), connection.open(inf)
        await asyncio.sleep(5.0)
        assert [round(stream.expired[0] - start, 2) for stream in (early, late)] == [1.0, 3.0]
        assert never.expired == []
        connection.deadlines.close()

    run(scenario())


def test_a_stream_that_has_ended_is_not_expired_and_the_next_still_is() -> None:
    """The timer finds out by itself."""

    async def scenario() -> None:
        connection = Connection()
        gone, stays = connection.open(1.0), connection.open(2.0)
        del connection.streams[gone.number]
        await asyncio.sleep(3.0)
        assert (gone.expired, len(stays.expired)) == ([], 1)
        assert connection.deadlines.armed_for == inf

    run(scenario())


def test_an_expiry_may_begin_a_call_with_a_deadline_of_its_own() -> None:
    """As a retry does."""

    async def scenario() -> None:
        connection = Connection()
        begun: list[Timed] = []
        connection.open(1.0, lambda: begun.append(connection.open(0.5)))
        connection.open(9.0)
        await asyncio.sleep(2.0)
        assert len(begun[0].expired) == 1
        connection.deadlines.close()

    run(scenario())


def test_later_deadlines_cost_no_timer() -> None:
    """The case of every call behind the first."""

    async def scenario() -> None:
        connection = Connection()
        connection.open(1.0)
        timer = connection.deadlines._handle
        for _ in range(100):
            connection.open(2.0)
        assert connection.deadlines._handle is timer
        connection.deadlines.close()

    run(scenario())


def test_nothing_expires_after_the_end() -> None:
    """The connection has told its streams itself."""

    async def scenario() -> None:
        connection = Connection()
        stream = connection.open(1.0)
        connection.deadlines.close()
        await asyncio.sleep(2.0)
        assert stream.expired == []

    run(scenario())

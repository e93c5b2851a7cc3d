"""An upstream with several ways, over pools of real grpcio services that are killed and come back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from edge.outcome import Fault, Refusal
from edge.upstream.call import Done, Header, MessageStream, Running, Trace, UnaryReply, UnaryRequest
from edge.upstream.pool import Pool
from edge.upstream.routed import RoutedUpstream, Way
from tests.calls import unary
from tests.unit.upstream.scripted import until
from tests.unit.upstream.services import pool_to, serving
from tests.upstreams.faulty import Faulty

DEAD = 1
"""A port nobody listens on."""


def echo() -> UnaryRequest:
    """A call, and the trace of it."""
    return UnaryRequest(b"/t.S/Echo", b"hello")


class Told:
    """A destination that does what it is told, at once."""

    def __init__(self, *outcomes: UnaryReply | Refusal, reached: bool = True) -> None:
        self.outcomes = list(outcomes)
        self.reached = reached
        self.calls = self.probes = self.cancelled = 0

    def reachable(self) -> bool:
        return self.reached

    def probe(self) -> None:
        self.probes += 1

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        self.calls += 1
        if self.outcomes:
            done(self.outcomes.pop(0))
        return self

    def cancel(self) -> None:
        self.cancelled += 1

    async def open_stream(
        self, path: bytes, metadata: Sequence[Header] = (), deadline: float | None = None, **_: object
    ) -> MessageStream:
        raise NotImplementedError


OK = UnaryReply(0, b"")
DOWN = Refusal(Fault.UPSTREAM_UNAVAILABLE, "refused")


def of(*tiers: Sequence[tuple[str, float, Told | Pool | RoutedUpstream]], sticky: str = "") -> RoutedUpstream:
    return RoutedUpstream("shop", [[Way(*way) for way in tier] for tier in tiers], sticky)


async def test_shares_over_ten_thousand_calls() -> None:
    """To the call."""
    a, b, c = (Told(*[OK] * 10_000) for _ in range(3))
    routed = of([("a", 80, a), ("b", 19.5, b), ("c", 0.5, c)])
    requests = [echo() for _ in range(10_000)]
    for request in requests:
        await unary(routed, request)
    assert (a.calls, b.calls, c.calls) == (8000, 1950, 50)
    assert Counter(request.via for request in requests) == {"a": 8000, "b": 1950, "c": 50} == routed.calls


async def test_a_call_nobody_began_goes_another_way_and_says_so() -> None:
    """First within the split, then down the tiers; the trace says who took it."""
    a, b, c = Told(DOWN), Told(DOWN), Told(OK)
    routed, request = of([("a", 50, a), ("b", 50, b)], [("c", 100, c)]), echo()
    assert await unary(routed, request) is OK
    assert (a.calls, b.calls, c.calls, request.via) == (1, 1, 1, "c")


@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.UPSTREAM_UNAVAILABLE])
async def test_no_other_end_changes_the_way(fault: Fault) -> None:
    """A call that a service may have begun, or that was refused on purpose, is never made twice."""
    refusal, spare = Refusal(fault), Told(OK)
    assert await unary(of([("a", 100, Told(refusal))], [("b", 100, spare)]), echo()) is refusal
    assert spare.calls == 0


async def test_an_answer_is_an_answer() -> None:
    """UNAVAILABLE from the service itself comes back as it is."""
    answer, spare = UnaryReply(14, None, "as told"), Told(OK)
    assert await unary(of([("a", 100, Told(answer))], [("b", 100, spare)]), echo()) is answer
    assert spare.calls == 0


async def test_where_nobody_is_reached_the_first_says_why() -> None:
    """One try, of the one whose turn it is; all are probed."""
    reason = Refusal(Fault.UPSTREAM_UNAVAILABLE, "first")
    first, second = Told(reason, reached=False), Told(DOWN, reached=False)
    assert await unary(of([("a", 100, first)], [("b", 100, second)]), echo()) is reason
    assert (first.calls, second.calls) == (1, 0)
    assert first.probes
    assert second.probes


async def test_a_cancelled_call_is_cancelled_where_it_is() -> None:
    """Also on its second way."""
    first, second = Told(DOWN), Told()
    task = asyncio.ensure_future(unary(of([("a", 100, first)], [("b", 100, second)]), echo()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (first.cancelled, second.cancelled) == (0, 1)


async def test_sticky_metadata_decides() -> None:
    """Equal values one way; calls without it take turns."""
    a, b = Told(*[OK] * 400), Told(*[OK] * 400)
    routed = of([("a", 50, a), ("b", 50, b)], sticky="x-user")
    for name in ("ann", "bob"):
        requests = [UnaryRequest(b"/t.S/Echo", b"", [(b"x-user", name.encode())]) for _ in range(20)]
        for request in requests:
            await unary(routed, request)
        assert len({request.via for request in requests}) == 1
    assert a.calls == b.calls == 20, "ann and bob have different ways"
    for _ in range(10):
        await unary(routed, echo())
    assert (a.calls, b.calls) == (25, 25)


@asynccontextmanager
async def pools(*ports: int) -> AsyncIterator[list[Pool]]:
    made = [pool_to(port) for port in ports]
    try:
        yield made
    finally:
        for pool in made:
            await pool.close(0)


async def _vias(routed: RoutedUpstream, count: int, expected: set[str]) -> None:
    """So many calls succeed, and went those ways."""
    vias = set()
    for _ in range(count):
        request = echo()
        outcome = await unary(routed, request)
        assert isinstance(outcome, UnaryReply), outcome
        assert outcome.code == 0
        vias.add(request.via)
    assert vias == expected


async def test_a_killed_service_is_stood_in_for_and_takes_its_calls_back() -> None:
    """kill -9: no call fails then or while it is dead, and once a connection stands the next call is its own again."""
    with Faulty() as own, Faulty() as spare:
        async with pools(own.port, spare.port) as (first, second):
            routed = of([("own", 100, first)], [("spare", 100, second)])
            await _vias(routed, 5, {"own"})
            await asyncio.to_thread(own.kill)
            await until(lambda: not first.state().endpoints[0].connections)
            await _vias(routed, 20, {"spare"})
            assert not first.reachable()
            await asyncio.to_thread(own.start)
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                while not first.reachable():  # calls go on meanwhile, and are what tries to reach it
                    await unary(routed, echo())
                    await asyncio.sleep(0.01)
            await _vias(routed, 20, {"own"})


async def test_streams_are_stood_in_for_as_they_begin() -> None:
    """A stream that no service has begun; one that runs when its service dies ends, and is not begun anew."""
    with Faulty() as own, Faulty() as spare:
        async with pools(own.port, spare.port) as (first, second):
            routed = of([("own", 100, first)], [("spare", 100, second)])
            running = await routed.open_stream(b"/t.S/Chat", trace=Trace())
            await running.send(b"one")
            assert await running.receive() == b"one"
            await asyncio.to_thread(own.kill)
            assert await running.receive() is None
            assert isinstance(running.outcome, Refusal)
            trace = Trace()
            other = await routed.open_stream(b"/t.S/Chat", trace=trace)
            await other.send(b"two", end=True)
            assert await other.receive() == b"two"
            assert trace.via == "spare"
            assert trace.address == spare.address


async def test_a_split_of_real_services_shares_streams_too() -> None:
    """One in four, exactly."""
    with serving() as a, serving() as b:
        async with pools(a.port, b.port) as (first, second):
            routed = of([("a", 75, first), ("b", 25, second)])
            for _ in range(40):
                stream = await routed.open_stream(b"/t.S/Chat", trace=Trace())
                await stream.send(b"ab", end=True)
                assert await stream.receive() == b"ba"
                assert await stream.receive() is None
            assert routed.calls == {"a": 30, "b": 10}


async def test_ways_may_lead_to_upstreams_with_ways() -> None:
    """The innermost name is what took the call; the whole is reachable while one of them is."""
    async with pools(DEAD, DEAD) as (first, second):
        with serving() as service:
            async with pools(service.port) as (alive,):
                inner = of([("inner-dead", 100, first)], [("inner-alive", 100, alive)])
                routed = of([("dead", 100, second)], [("inner", 100, inner)])
                await _vias(routed, 3, {"inner-alive"})
                assert routed.reachable()
    assert not of([("a", 100, Told(reached=False))]).reachable()


def test_what_is_shown() -> None:
    """Tiers, weights, who is reached, and how many calls began where."""
    routed = of([("a", 90, Told()), ("b", 10, Told(reached=False))], [("c", 100, Told())], sticky="x-user")
    routed.next([], None, None)
    state = routed.state()
    assert (state.upstream, state.sticky) == ("shop", "x-user")
    assert [(way.way, way.tier, way.weight, way.reachable, way.calls) for way in state.ways] == [
        ("a", 0, 90, True, 1),
        ("b", 0, 10, False, 0),
        ("c", 1, 100, True, 0),
    ]

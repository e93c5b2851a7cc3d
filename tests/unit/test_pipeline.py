"""Admission outside-in, settlement inside-out, exactly once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable

import pytest

from edge.exchange import Dialect, Exchange
from edge.outcome import Fault, Refusal
from edge.pipeline import Admission, Held, Pipeline


class Scripted:
    """A policy that notes what happens to it and answers as told."""

    def __init__(self, name: str, seen: list[str], verdict: str = "settle") -> None:
        self.name = name
        self._seen = seen
        self._verdict = verdict

    def admit(self, x: Exchange) -> Admission | Awaitable[Admission]:
        self._seen.append(f"+{self.name}")
        if self._verdict.startswith("wait "):
            return self._later(self._verdict.removeprefix("wait "))
        return self._now(self._verdict)

    async def _later(self, verdict: str) -> Admission:
        await asyncio.sleep(0)
        return self._now(verdict)

    def _now(self, verdict: str) -> Admission:
        if verdict == "raise":
            raise RuntimeError(self.name)
        if verdict == "refuse":
            return Refusal(Fault.OVERLOADED, detail=self.name)
        return self._settle if verdict in {"settle", "settle badly"} else None

    def _settle(self, x: Exchange) -> None:
        self._seen.append(f"-{self.name}")
        if self._verdict == "settle badly":
            raise RuntimeError(self.name)


def exchange() -> Exchange:
    return Exchange(Dialect.REST, "GET", "/", "1.1", "127.0.0.1:1", "id", 0.0)


async def admitted(pipeline: Pipeline, x: Exchange, held: Held) -> Refusal | None:
    verdict = pipeline.admit(x, held)
    return await verdict if inspect.isawaitable(verdict) else verdict


async def run(*verdicts: str) -> tuple[list[str], Refusal | None]:
    """One call through policies a, b, c…: what was seen, and the verdict."""
    seen: list[str] = []
    pipeline = Pipeline([Scripted(name, seen, verdict) for name, verdict in zip("abcdef", verdicts, strict=False)])
    held, x = Held(), exchange()
    try:
        verdict = await admitted(pipeline, x, held)
    finally:
        held.settle(x)
        held.settle(x)
    return seen, verdict


@pytest.mark.parametrize(
    ("verdicts", "seen"),
    [
        (["settle", "settle"], ["+a", "+b", "-b", "-a"]),
        (["settle", "nothing", "settle"], ["+a", "+b", "+c", "-c", "-a"]),
        (["settle", "wait settle", "settle"], ["+a", "+b", "+c", "-c", "-b", "-a"]),
        (["wait settle", "wait nothing", "wait settle"], ["+a", "+b", "+c", "-c", "-a"]),
        ([], []),
    ],
)
async def test_admitted_calls_settle_in_reverse_and_once(verdicts: list[str], seen: list[str]) -> None:
    assert await run(*verdicts) == (seen, None)


@pytest.mark.parametrize("refuse", ["refuse", "wait refuse"])
@pytest.mark.parametrize("first", ["settle", "wait settle"])
async def test_the_first_refusal_ends_it_and_what_was_taken_is_given_back(first: str, refuse: str) -> None:
    seen, verdict = await run(first, refuse, "settle")
    assert seen == ["+a", "+b", "-a"]
    assert verdict == Refusal(Fault.OVERLOADED, detail="b")


def test_without_a_waiting_policy_nothing_is_awaited() -> None:
    """The common path never yields: the answer is there, not a coroutine."""
    pipeline = Pipeline([Scripted("a", []), Scripted("b", [])])
    assert pipeline.admit(exchange(), Held()) is None


@pytest.mark.parametrize("broken", ["raise", "wait raise"])
async def test_a_policy_that_crashes_leaves_nothing_held(broken: str) -> None:
    seen: list[str] = []
    pipeline = Pipeline([Scripted("a", seen), Scripted("b", seen, broken)])
    held, x = Held(), exchange()
    with pytest.raises(RuntimeError, match="b"):
        await admitted(pipeline, x, held)
    held.settle(x)
    assert seen == ["+a", "+b", "-a"]


async def test_a_call_cancelled_while_a_policy_waits_gives_back_what_it_took() -> None:
    seen: list[str] = []
    pipeline = Pipeline([Scripted("a", seen), Scripted("b", seen, "wait settle")])
    held, x = Held(), exchange()
    verdict = pipeline.admit(x, held)
    assert inspect.isawaitable(verdict)
    waiting = asyncio.ensure_future(verdict)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.settle(x)
    assert seen == ["+a", "+b", "-a"]


def test_a_settlement_that_raises_does_not_keep_the_others_from_running() -> None:
    """The first error is raised at the end, for it is a bug; every permit is back by then."""
    seen: list[str] = []
    pipeline = Pipeline([Scripted("a", seen), Scripted("b", seen, "settle badly"), Scripted("c", seen)])
    held, x = Held(), exchange()
    assert pipeline.admit(x, held) is None
    with pytest.raises(RuntimeError, match="b"):
        held.settle(x)
    assert seen == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_observers_see_the_end_of_calls_that_were_never_admitted_and_come_last() -> None:
    seen: list[str] = []
    pipeline = Pipeline([Scripted("a", seen)], observers=[lambda _: seen.append("observed")])
    pipeline.open().settle(exchange())
    assert seen == ["observed"]
    held, x = pipeline.open(), exchange()
    assert pipeline.admit(x, held) is None
    held.settle(x)
    assert seen == ["observed", "+a", "-a", "observed"]

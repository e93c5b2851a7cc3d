"""
A question asked of Consul again and again: blocking where Consul can block, at intervals where it cannot.

Owns the loop's manners: the index rules and the pace of edge.core.consul_index, a longer pause with jitter after each failure, a wait
that ends before the answer's timeout. One answer or one error comes out at a time; what it means is the caller's affair.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge.consul.answer import Answer, ConsulError
from edge.consul.client import ConsulClient, Scope
from edge.consul.transport import Params
from edge.core.backoff import delay_s
from edge.core.consul_index import BlockingIndex, Pace, answer_timeout_s

BLOCK_S = 300.0
"""How long a query blocks, Consul's own default: short enough to notice an agent that is gone without a word."""


@dataclass(frozen=True, slots=True)
class Question:
    """A path and its parameters; `needs` is the permission it takes."""

    path: str
    params: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    scope: Scope = field(default_factory=Scope)

    def as_params(self) -> Params:
        """For a client."""
        return list(self.params)


@dataclass(frozen=True, slots=True)
class Manners:
    """How a loop treats the agent. Times in seconds; the defaults are for production, tests are in more of a hurry."""

    block_s: float = BLOCK_S
    backoff_initial_s: float = 0.5
    backoff_max_s: float = 15.0
    per_s: float = 1.0
    burst: int = 5
    rand: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; `restarted` when Consul's index went backwards with it."""

    answer: Answer
    restarted: bool = False


class Query(Protocol):
    """Something to ask again and again."""

    async def next(self, within_s: float | None = None, *, confirm: bool = False) -> Heard | ConsulError:
        """
        The next answer, or why there is none; at the latest after `within_s` seconds (and what an answer takes).

        `confirm` asks without blocking; where the loop stands with Consul's index is not changed by that.
        """


class BlockingQuery:
    """A question to an endpoint that blocks until something changed."""

    def __init__(self, client: ConsulClient, question: Question, manners: Manners | None = None) -> None:
        self._client = client
        self._question = question
        self._manners = manners or Manners()
        self._index = BlockingIndex()
        self._streamed = False
        self._pause = _Pause(self._manners)

    async def next(self, within_s: float | None = None, *, confirm: bool = False) -> Heard | ConsulError:
        """As in Query. The first answer comes at once, as does the first after a failure."""
        await self._pause.before()
        wait_s = self._manners.block_s if within_s is None else min(self._manners.block_s, max(within_s, 0.01))
        params = list(self._question.params)
        blocks = self._index.value > 0 and not confirm
        if blocks:
            params += [("index", str(self._index.value)), ("wait", f"{max(1, int(wait_s * 1000))}ms")]
        try:
            answer = await self._client.read(
                self._question.path,
                params,
                needs=self._question.needs,
                scope=self._question.scope,
                timeout_s=answer_timeout_s(wait_s if blocks else 0.0),
            )
        except ConsulError as error:
            self._index.failed()
            self._pause.failed()
            return error
        self._pause.succeeded()
        if confirm and self._index.value:
            # The backends count apart: with this index the streaming one would answer at once, again and again.
            return Heard(answer)
        went_back, same = self._index.heard(answer.index), answer.streamed == self._streamed
        self._streamed = answer.streamed
        return Heard(answer, restarted=went_back and same)


class PeriodicQuery:
    """A question to an endpoint that does not block (a prepared query), asked at an interval."""

    def __init__(
        self, client: ConsulClient, question: Question, interval_s: float, manners: Manners | None = None
    ) -> None:
        self._client = client
        self._question = question
        self._interval_s = interval_s
        self._pause = _Pause(manners or Manners())
        self._asked = False

    async def next(self, within_s: float | None = None, *, confirm: bool = False) -> Heard | ConsulError:
        """As in Query; the first answer comes at once."""
        await self._pause.before()
        if self._asked and not confirm:
            await asyncio.sleep(self._interval_s if within_s is None else min(self._interval_s, within_s))
        question = self._question
        try:
            answer = await self._client.read(
                question.path, question.as_params(), needs=question.needs, scope=question.scope
            )
        except ConsulError as error:
            self._asked = False  # the backoff is the pause
            self._pause.failed()
            return error
        self._asked = True
        self._pause.succeeded()
        return Heard(answer)


class _Pause:
    """The time between two queries of one loop."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._pace = Pace(per_s=manners.per_s, burst=manners.burst)
        self._failures = 0

    async def before(self) -> None:
        pause = self._pace.delay_s(asyncio.get_running_loop().time())
        if self._failures:
            backoff = delay_s(
                self._failures,
                initial_s=self._manners.backoff_initial_s,
                max_s=self._manners.backoff_max_s,
                rand=self._manners.rand(),
            )
            pause = max(pause, backoff)
        if pause > 0:
            await asyncio.sleep(pause)

    def failed(self) -> None:
        self._failures += 1

    def succeeded(self) -> None:
        self._failures = 0

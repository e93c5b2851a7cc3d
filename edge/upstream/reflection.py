"""
Descriptions by gRPC server reflection: one round of questions over a stream, and a watch that asks again.

Owns: which version is spoken (v1, v1alpha when that is not served), the one time limit of a round, and that a change is reported
once, when the description's bytes differ. `edge.descriptors.reflection_dialogue` decides what is asked. The watch is a
coroutine without tasks of its own: its owner's TaskGroup runs and cancels it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from edge.core.backoff import delay_s
from edge.core.grpc_status import Code
from edge.core.problem import Problem, ProblemsError
from edge.descriptors.reflection_dialogue import PATHS, Dialogue, Reflected
from edge.outcome import Refusal
from edge.upstream.call import MessageStream, UnaryReply

OpenStream = Callable[[bytes], Awaitable[MessageStream]]
"""Opens a streaming call to `/package.Service/Method`; when it cannot begin, the stream has ended already."""

_log = structlog.get_logger("edge.reflection")

_UNSERVED = "serve reflection (grpc.reflection.v1), or give protos or descriptors instead"


async def fetch(open_stream: OpenStream, timeout_s: float) -> Reflected:
    """Ask once, within `timeout_s`. Raises ProblemsError: the upstream cannot be reached, or does not describe itself whole."""
    try:
        async with asyncio.timeout(timeout_s) as scope:
            return await _ask(open_stream)
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise _failed(
            f"no description within {timeout_s:g} s", "raise reflection.timeout if the service is slow"
        ) from error


async def _ask(open_stream: OpenStream) -> Reflected:
    for path in PATHS:
        answer = await _converse(open_stream, path)
        if isinstance(answer, Reflected):
            return answer
        if _code(answer) != Code.UNIMPLEMENTED:
            raise _failed(f"the questions were not answered: {_words(answer)}")
    raise _failed("the service does not serve reflection", _UNSERVED)


async def _converse(open_stream: OpenStream, path: bytes) -> Reflected | UnaryReply | Refusal | None:
    """One dialogue over one stream: the description, or how the stream ended before there was one."""
    stream = await open_stream(path)
    dialogue = Dialogue()
    requests = dialogue.start()
    try:
        while not dialogue.done:
            for request in requests:
                await stream.send(request)
            message = await stream.receive()
            if message is None:
                return stream.outcome
            requests = dialogue.receive(message)
        await stream.end()
        return dialogue.result()
    finally:
        stream.cancel()


def _code(ended: UnaryReply | Refusal | None) -> int:
    if ended is None:
        return Code.UNKNOWN
    return ended.code if isinstance(ended, UnaryReply) else ended.grpc_code


def _words(ended: UnaryReply | Refusal | None) -> str:
    if ended is None:
        return "the stream ended"
    if isinstance(ended, Refusal):
        return ended.detail or ended.public_message
    return f"gRPC status {ended.code} {ended.text}".rstrip()


def _failed(message: str, fix: str = "") -> ProblemsError:
    return ProblemsError([Problem("reflection", "", message, fix)])


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the watch asks. Seconds; failures in a row are followed by waits that grow from `retry_s` to `max_retry_s`."""

    refresh_s: float
    timeout_s: float
    retry_s: float = 0.25
    max_retry_s: float = 5.0


class ReflectionWatch:
    """
    Keeps asking: soon again while the upstream is down, on a period while it answers.

    `on_change` gets each new description once, is awaited (it may build tables in a thread) and may raise ProblemsError when it
    cannot use it. `on_problem` hears what is wrong, once as long as it stays the same.
    """

    def __init__(
        self,
        open_stream: OpenStream,
        rhythm: Rhythm,
        *,
        on_change: Callable[[Reflected], Awaitable[None]],
        on_problem: Callable[[Sequence[Problem]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self._open_stream = open_stream
        self._rhythm = rhythm
        self._on_change = on_change
        self._on_problem = on_problem
        self._sleep = sleep
        self._rand = rand
        self._known: Reflected | None = None
        self._told: Sequence[Problem] = ()
        self._failures = 0

    async def run(self) -> None:
        """Ask for ever; ends by cancellation only."""
        while True:
            try:
                await self._round()
            except Exception:  # noqa: BLE001  # a bug must not end the watch unseen: the API would never change again
                self._failures += 1
                _log.exception("asking for a description failed inside the gateway")
            await self._sleep(self._pause_s())

    async def _round(self) -> None:
        try:
            found = await fetch(self._open_stream, self._rhythm.timeout_s)
        except ProblemsError as error:
            self._failures += 1
            self._tell(error.problems)
            return
        self._failures = 0
        self._told = ()
        await self._report(found)

    async def _report(self, found: Reflected) -> None:
        if found == self._known:
            return
        # Known before it is used: a description that cannot be used is reported once, not on every refresh.
        self._known = found
        try:
            await self._on_change(found)
        except ProblemsError as error:
            self._on_problem(error.problems)

    def _tell(self, problems: Sequence[Problem]) -> None:
        if problems != self._told:
            self._told = problems
            self._on_problem(problems)

    def _pause_s(self) -> float:
        rhythm = self._rhythm
        if not self._failures:
            return rhythm.refresh_s
        return delay_s(self._failures, initial_s=rhythm.retry_s, max_s=rhythm.max_retry_s, rand=self._rand())

"""
The call an HTTP/1.1 connection has in hand: its task, and what it was promised.

Owns those promises: exactly one of `finish` and `abandon` (to a StreamCall: `run`), then `sent` exactly once, whether the answer left,
the client went away or the service crashed; and that the task is over before the turn counts as idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from edge.ingress.containment import Contained
from edge.ingress.service import Answer, AnswerSink, BodySource, Call, Head, StreamCall
from edge.outcome import Fault, Refusal


class Turn:
    """
    One call after another. `take` a call, then `finish`, `run` or `abandon` it, then `settle` it.

    `finished` is told the answer of a Call, or None when it was cancelled or ran as a stream.
    """

    __slots__ = ("_call", "_finished", "_gone", "_head", "_loop", "_running", "_service", "_task")

    def __init__(
        self, service: Contained, loop: asyncio.AbstractEventLoop, finished: Callable[[Answer | None], None]
    ) -> None:
        self._service = service
        self._loop = loop
        self._finished = finished
        self._head: Head | None = None
        self._call: Call | StreamCall | None = None
        self._task: asyncio.Task[None] | None = None
        self._running = False  # the task has had its first step: cancelling it reaches the call
        self._gone = False

    @property
    def busy(self) -> bool:
        """A task runs; `finished` will be called."""
        return self._task is not None

    def take(self, call: Call | StreamCall, head: Head) -> None:
        """A call begins; its body is still to come."""
        self._call = call
        self._head = head

    def finish(self, body: bytes) -> None:
        """The body is whole: run the call."""
        assert self._call is not None
        assert not self._call.streams
        self._start(self._finish(self._call, body))

    def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Run the streaming call."""
        assert self._call is not None
        assert self._call.streams
        self._start(self._run(self._call, body, answer))

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """The answer to a call whose body will not be whole, or to a request that never became one."""
        if self._call is not None and not self._call.streams:
            return self._service.abandon(self._call, refusal)
        return self._service.refuse(head, refusal)

    def gone(self) -> None:
        """The client is gone: whatever was owed to a call is paid now, or when its task has ended."""
        self._gone = True
        if self._task is not None:
            if self._running:  # a task cancelled before its first step would not even tell the call
                self._task.cancel()
        elif self._call is not None and not self._call.streams:
            self._abandon_unheard(self._call)

    def settle(self, size_bytes: int) -> None:
        """Pay the call the `sent` it is owed, if there is one."""
        call, self._call = self._call, None
        self._head = None
        if call is not None:
            self._service.sent(call, size_bytes)

    def _start(self, running: Coroutine[Any, Any, None]) -> None:
        self._running = False
        self._task = self._loop.create_task(running)

    async def _finish(self, call: Call, body: bytes) -> None:
        self._running = True
        answer: Answer | None = None
        try:
            if self._gone:  # before the first step
                self._abandon_unheard(call)
            else:
                answer = await self._service.finish(call, self._head, body)
        finally:
            self._task = None
            self._finished(answer)

    async def _run(self, call: StreamCall, body: BodySource, answer: AnswerSink) -> None:
        self._running = True
        try:
            if self._gone and self._task is not None:  # before the first step
                self._task.cancel()  # the call is told so where it first waits
            await self._service.run(call, self._head, body, answer)
        finally:
            self._task = None
            self._finished(None)

    def _abandon_unheard(self, call: Call) -> None:
        """The client went away before its request was whole, or before the call began."""
        self._service.abandon(call, Refusal(Fault.CANCELLED))
        self.settle(0)

"""
The call a connection or a stream has in hand, and what it was promised.

Owns those promises: exactly one of `finish` and `abandon` (to a StreamCall: `run`), then `sent` exactly once, whether the answer left,
the client went away or the service crashed; and that the call is over before the turn counts as idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from edge.ingress.containment import Contained
from edge.ingress.service import Answer, AnswerSink, BodySource, Call, Head, StreamCall
from edge.outcome import Fault, Refusal

_log = structlog.get_logger("edge.ingress")


class Turn:
    """
    One call after another. `take` a call, then `finish`, `run` or `abandon` it, then `settle` it.

    `finished` is told the answer of a Call, or None when it was cancelled or ran as a stream. A Call may answer before `finish` returns;
    only a StreamCall has a task.
    """

    __slots__ = ("_call", "_finished", "_gone", "_head", "_loop", "_service", "_stepped", "_task", "busy")

    def __init__(
        self, service: Contained, loop: asyncio.AbstractEventLoop, finished: Callable[[Answer | None], None]
    ) -> None:
        self.busy = False  # a call runs; `finished` will be called
        self._service = service
        self._loop = loop
        self._finished = finished
        self._head: Head | None = None
        self._call: Call | StreamCall | None = None
        self._task: asyncio.Task[None] | None = None
        self._stepped = False  # the task has had its first step: cancelling it reaches the call
        self._gone = False

    def take(self, call: Call | StreamCall, head: Head) -> None:
        """A call begins; its body is still to come."""
        self._call = call
        self._head = head

    def finish(self, body: bytes) -> None:
        """The body is whole: run the call."""
        call = self._call
        assert call is not None
        assert not call.streams
        self.busy = True
        self._service.finish(call, self._head, body, self._answered)

    def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Run the streaming call."""
        assert self._call is not None
        assert self._call.streams
        self.busy, self._stepped = True, False
        self._task = self._loop.create_task(self._run(self._call, body, answer))

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """The answer to a call whose body will not be whole, or to a request that never became one."""
        if self._call is not None and not self._call.streams:
            return self._service.abandon(self._call, refusal)
        return self._service.refuse(head, refusal)

    def gone(self) -> None:
        """The client is gone: whatever was owed to a call is paid now, or when its task has ended."""
        self._gone = True
        call = self._call
        if self._task is not None:
            if self._stepped:  # a task cancelled before its first step would not even tell the call
                self._task.cancel()
        elif call is not None and not call.streams:
            if self.busy:
                self._service.cancel(call)
            else:  # before its request was whole
                self._service.abandon(call, Refusal(Fault.CANCELLED))
                self.settle(0)

    def close(self) -> None:
        """No more calls; who is told of their ends is let go."""
        self._finished = _nobody

    def settle(self, size_bytes: int) -> None:
        """Pay the call the `sent` it is owed, if there is one."""
        call, self._call = self._call, None
        self._head = None
        if call is not None:
            self._service.sent(call, size_bytes)

    def _answered(self, answer: Answer | None) -> None:
        """The call has answered. It may be its service's connection that says so: what fails here must not be that one's failure."""
        if not self.busy:
            return
        self.busy = False
        try:
            self._finished(answer)
        except Exception:  # noqa: BLE001  # a bug of ours costs this connection's client its answer, and no other
            _log.exception("an answer could not be taken")

    async def _run(self, call: StreamCall, body: BodySource, answer: AnswerSink) -> None:
        self._stepped = True
        try:
            if self._gone and self._task is not None:  # before the first step
                self._task.cancel()  # the call is told so where it first waits
            await self._service.run(call, self._head, body, answer)
        finally:
            self._task = None
            self.busy = False
            self._finished(None)


def _nobody(answer: Answer | None) -> None:
    """Whom a closed turn tells."""

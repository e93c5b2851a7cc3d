"""
The call a connection or a stream has in hand, and what it was promised.

Owns those promises: exactly one of `finish` and `abandon` (to a StreamCall: `run`), then `sent` exactly once, whether the answer left,
the client went away or the service crashed; and that the call is over before the turn counts as idle. And the other side's: whatever a
service or a call raises (but for cancellation) becomes a log line and an answer, so that a protocol handler gets a value each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from edge.ingress.containment import last_resort, refused
from edge.ingress.service import Answer, AnswerSink, BodySource, Call, Head, Service, StreamCall
from edge.outcome import Fault, Refusal

_log = structlog.get_logger("edge.ingress")


class Turn:
    """
    One call after another. `begin` with a head, then `finish`, `run` or `refuse` the call it gave, then `settle` it.

    `finished` is told the answer of a Call, or None when it was cancelled or ran as a stream. A Call may answer before `finish` returns;
    only a StreamCall has a task. `head` is that of the call in hand.
    """

    __slots__ = ("_call", "_finished", "_gone", "_loop", "_service", "_stepped", "_task", "busy", "head")

    def __init__(
        self, service: Service, loop: asyncio.AbstractEventLoop, finished: Callable[[Answer | None], None]
    ) -> None:
        self.busy = False  # a call runs; `finished` will be called
        self.head: Head | None = None
        self._service = service
        self._loop = loop
        self._finished = finished
        self._call: Call | StreamCall | None = None
        self._task: asyncio.Task[None] | None = None
        self._stepped = False  # the task has had its first step: cancelling it reaches the call
        self._gone = False

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        """Ask the service; a call that it takes on is in hand then, its body still to come."""
        try:
            taken = self._service.begin(head)
        except Exception:  # noqa: BLE001  # a bug above costs its request only
            _log.exception("the service failed at a request's head", method=head.method, path=head.path)
            return refused(self._service, head, Refusal(Fault.INTERNAL, "begin raised"))
        if not isinstance(taken, Answer):
            self._call, self.head = taken, head
        return taken

    def take(self, call: StreamCall, head: Head) -> None:
        """Go on with a call that another turn began."""
        self._call, self.head = call, head

    def finish(self, body: bytes) -> None:
        """The body is whole: run the call."""
        call = self._call
        assert call is not None
        assert not call.streams
        self.busy = True
        try:
            call.finish(body, self._answered)
        except Exception:  # noqa: BLE001  # a bug above costs its request only
            _log.exception("a call failed in its handler", path=self.head.path if self.head else "")
            self._answered(refused(self._service, self.head, Refusal(Fault.INTERNAL, "finish raised")))

    def run(self, body: BodySource, answer: AnswerSink) -> None:
        """Run the streaming call."""
        assert self._call is not None
        assert self._call.streams
        self.busy, self._stepped = True, False
        self._task = self._loop.create_task(self._run(self._call, body, answer))

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        """The answer to a call whose body will not be whole, or to a request that never became one."""
        if self._call is not None and not self._call.streams:
            return _abandoned(self._call, refusal)
        return refused(self._service, head, refusal)

    def gone(self) -> None:
        """The client is gone: whatever was owed to a call is paid now, or when its task has ended."""
        self._gone = True
        call = self._call
        if self._task is not None:
            if self._stepped:  # a task cancelled before its first step would not even tell the call
                self._task.cancel()
        elif call is not None and not call.streams:
            if self.busy:
                _cancel(call)
            else:  # before its request was whole
                _abandoned(call, Refusal(Fault.CANCELLED))
                self.settle(0)

    def close(self) -> None:
        """No more calls; who is told of their ends is let go."""
        self._finished = _nobody

    def settle(self, size_bytes: int) -> None:
        """Pay the call the `sent` it is owed, if there is one."""
        call, self._call, self.head = self._call, None, None
        if call is not None:
            try:
                call.sent(size_bytes)
            except Exception:  # noqa: BLE001  # a bug above costs its request only
                _log.exception("a call failed at being settled")

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
            await call.run(body, answer)
        except Exception:  # noqa: BLE001  # the answer is left open; the protocol handler then aborts it
            _log.exception("a streaming call failed in its handler", path=self.head.path if self.head else "")
        finally:
            self._task = None
            self.busy = False
            self._finished(None)


def _cancel(call: Call) -> None:
    try:
        call.cancel()
    except Exception:  # noqa: BLE001  # a bug above costs its request only
        _log.exception("a call failed at being cancelled")


def _abandoned(call: Call, refusal: Refusal) -> Answer:
    try:
        return call.abandon(refusal)
    except Exception:  # noqa: BLE001  # a bug above costs its request only
        _log.exception("a call failed at being abandoned", fault=refusal.fault.name)
        return last_resort()


def _nobody(answer: Answer | None) -> None:
    """Whom a closed turn tells."""

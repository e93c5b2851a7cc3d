"""
One unary call from its body to its settled end, the same in every dialect.

Owns the sequence admit → bind → forward → print, that `answered` is called once, and that each way out is recorded on the Exchange
before the answer leaves. Refusals travel as values. Driven by callbacks: the common call has no task and never waits for a turn of the
loop; a policy that must wait gets a task, which ends with it. What differs between dialects is `UnarySpeech`.
Source: docs/life-of-a-request.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, Protocol

import structlog

from edge.ingress.containment import last_resort
from edge.ingress.opening import Opening, metadata_of
from edge.ingress.service import Answer, Answered
from edge.outcome import Fault, Refusal
from edge.upstream.call import Running, Trace, UnaryReply, UnaryRequest
from edge.wire.codec import RequestMessage

_log = structlog.get_logger("edge.call")


class UnarySpeech(Protocol):
    """How one dialect says a unary call. Made per call; holds what it needs of the opening."""

    def bind(self, body: bytes) -> RequestMessage | Refusal:
        """The request message in the body (and, for REST, in path and query)."""

    def replied(self, request: RequestMessage, reply: UnaryReply) -> Answer | Refusal:
        """The service's answer, success or error; a Refusal when it cannot be said."""

    def refused(self, refusal: Refusal) -> Answer:
        """A refusal of ours."""


class _Deciding:
    """A call whose policies must wait: the one task a unary call can have, and it ends with their decision."""

    __slots__ = ("_gone", "_stepped", "_task")

    def __init__(
        self,
        pending: Awaitable[Refusal | None],
        decided: Callable[[Refusal | None], None],
        failed: Callable[[], None],
        cancelled: Callable[[], None],
    ) -> None:
        self._gone = self._stepped = False
        self._task = asyncio.get_running_loop().create_task(self._run(pending, decided, failed, cancelled))

    def cancel(self) -> None:
        """The client has gone; `cancelled` is called when the task has ended."""
        self._gone = True
        if self._stepped:  # a task cancelled before its first step would leave the policy's coroutine unawaited
            self._task.cancel()

    async def _run(
        self,
        pending: Awaitable[Refusal | None],
        decided: Callable[[Refusal | None], None],
        failed: Callable[[], None],
        cancelled: Callable[[], None],
    ) -> None:
        self._stepped = True
        try:
            if self._gone:
                self._task.cancel()
            verdict = await pending
            if self._gone:
                raise asyncio.CancelledError
            decided(verdict)
        except asyncio.CancelledError:
            cancelled()
            raise
        except Exception:  # noqa: BLE001  # as in `UnaryCall.finish`
            failed()


class UnaryCall(Trace):
    """
    `edge.ingress.service.Call`: a resolved request; the protocol handler brings its body and says when the answer is out.

    It is the Trace of its own way upstream: one object fewer for each call.
    """

    __slots__ = ("_answered", "_bound", "_held", "_opening", "_running", "_speech", "max_body_bytes")

    streams: Literal[False] = False

    def __init__(self, opening: Opening, speech: UnarySpeech, *, max_body_bytes: int | None = None) -> None:
        """`max_body_bytes` where a dialect wraps the message; the limit itself where the body is the message."""
        # What `Trace` sets, without the call.
        self.address, self.via, self.attempts = "", "", 0
        self.started = self.upstream_s = self.moved = 0.0
        self._opening = opening
        self._speech = speech
        self._held = opening.pipeline.open()
        self._answered: Answered | None = None
        self._running: Running | _Deciding | None = None
        self._bound: RequestMessage
        self.max_body_bytes = opening.serving.max_body_bytes if max_body_bytes is None else max_body_bytes

    def finish(self, body: bytes, answered: Answered) -> None:
        """Run the call; whatever happens, the Exchange tells of it."""
        self._answered = answered
        opening = self._opening
        opening.x.request_bytes = len(body)
        try:
            verdict = opening.pipeline.admit(opening.x, self._held)
            if verdict is None:
                self._admitted(body)
            elif isinstance(verdict, Refusal):
                self._refuse(verdict)
            else:
                self._running = _Deciding(verdict, partial(self._decided, body), self._failed, self._cancelled)
        except Exception:  # noqa: BLE001  # a bug of ours must become an answer and an end, not a hung client
            self._failed()

    def cancel(self) -> None:
        """The client has gone."""
        running = self._running
        if running is not None:
            running.cancel()
        if self._answered is not None and not isinstance(running, _Deciding):  # whose task tells when it has ended
            self._cancelled()

    def abandon(self, refusal: Refusal) -> Answer:
        """The body will not be whole."""
        return self._refused(refusal)

    def sent(self, response_bytes: int) -> None:
        """The answer is out, or nobody is left to read it: give back what is held, log."""
        self._opening.x.response_bytes = response_bytes
        self._held.settle(self._opening.x)

    def _decided(self, body: bytes, verdict: Refusal | None) -> None:
        self._running = None
        if verdict is None:
            self._admitted(body)
        else:
            self._refuse(verdict)

    def _admitted(self, body: bytes) -> None:
        bound = self._speech.bind(body)
        if isinstance(bound, Refusal):
            self._refuse(bound)
            return
        self._bound = bound
        opening = self._opening
        target = opening.x.target
        assert target is not None
        extra = ((b"edge-unknown-query", bound.captured_query),) if bound.captured else ()
        request = UnaryRequest(
            target.path, bound.message, metadata_of(opening, extra), opening.x.deadline, target.max_response_bytes
        )
        running = opening.serving.upstreams[target.upstream].unary(request, self, self._ended)
        if self._answered is not None:  # it did not answer at once
            self._running = running

    def _ended(self, outcome: UnaryReply | Refusal) -> None:
        """The upstream call is over. What fails from here on must not fail in the connection that says so."""
        x = self._opening.x
        x.upstream_address, x.upstream_s, x.upstream_via = self.address, self.upstream_s, self.via
        try:
            if isinstance(outcome, Refusal):
                self._refuse(outcome)
                return
            answer = self._speech.replied(self._bound, outcome)
            if isinstance(answer, Refusal):
                self._refuse(answer)
                return
            x.status, x.grpc_code = answer.status, outcome.code
            answered, self._answered, self._running = self._answered, None, None
        except Exception:  # noqa: BLE001  # as in `finish`
            self._failed()
            return
        if answered is not None:
            answered(answer)

    def _refuse(self, refusal: Refusal) -> None:
        self._answer(self._refused(refusal))

    def _cancelled(self) -> None:
        x = self._opening.x
        x.upstream_address, x.upstream_s, x.upstream_via = self.address, self.upstream_s, self.via
        try:
            self._refused(Refusal(Fault.CANCELLED))
        finally:
            self._answer(None)

    def _failed(self) -> None:
        """A bug of ours."""
        x = self._opening.x
        _log.exception("call failed inside the gateway", request_id=x.request_id, path=x.path)
        try:
            answer = self._refused(Refusal(Fault.INTERNAL))
        except Exception:  # noqa: BLE001  # the dialect's refusals fail too
            _log.exception("a refusal could not be shaped", request_id=x.request_id)
            answer = last_resort()
        self._answer(answer)

    def _answer(self, answer: Answer | None) -> None:
        """Once: what a call of its own making does after its answer is not heard."""
        answered, self._answered = self._answered, None
        self._running = None
        if answered is not None:
            answered(answer)

    def _refused(self, refusal: Refusal) -> Answer:
        x = self._opening.x
        x.refusal = refusal
        answer = self._speech.refused(refusal)
        x.status, x.grpc_code = answer.status, refusal.grpc_code
        return answer

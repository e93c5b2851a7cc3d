"""
One unary call from its body to its settled end, the same in every dialect.

Owns the sequence admit → bind → forward → print, and that each way out of it is recorded on the Exchange before the answer leaves.
Refusals travel as values; a cancelled task (the client went away) records CANCELLED and lets the cancellation through. What differs
between dialects is four functions (`UnarySpeech`). Source: docs/life-of-a-request.md.
"""

from __future__ import annotations

import asyncio
from typing import Literal, Protocol

import structlog

from edge.ingress.opening import Opening, metadata_of
from edge.ingress.service import Answer
from edge.outcome import Fault, Refusal
from edge.upstream.call import Trace, UnaryReply, UnaryRequest
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


class UnaryCall:
    """`edge.ingress.service.Call`: a resolved request; the protocol handler brings its body and says when the answer is out."""

    __slots__ = ("_held", "_opening", "_speech", "max_body_bytes")

    streams: Literal[False] = False

    def __init__(self, opening: Opening, speech: UnarySpeech, *, max_body_bytes: int | None = None) -> None:
        """`max_body_bytes` where a dialect wraps the message; the limit itself where the body is the message."""
        self._opening = opening
        self._speech = speech
        self._held = opening.pipeline.open()
        self.max_body_bytes = opening.serving.max_body_bytes if max_body_bytes is None else max_body_bytes

    async def finish(self, body: bytes) -> Answer:
        """Run the call; whatever happens, the Exchange tells of it."""
        x = self._opening.x
        x.request_bytes = len(body)
        try:
            return await self._run(body)
        except asyncio.CancelledError:
            self._refused(Refusal(Fault.CANCELLED))
            raise
        except Exception:  # noqa: BLE001  # a bug of ours must become an answer and an end, not a hung client
            _log.exception("call failed inside the gateway", request_id=x.request_id, path=x.path)
            return self._refused(Refusal(Fault.INTERNAL))

    def abandon(self, refusal: Refusal) -> Answer:
        """The body will not be whole."""
        return self._refused(refusal)

    def sent(self, response_bytes: int) -> None:
        """The answer is out, or nobody is left to read it: give back what is held, log."""
        self._opening.x.response_bytes = response_bytes
        self._held.settle(self._opening.x)

    async def _run(self, body: bytes) -> Answer:
        verdict = self._opening.pipeline.admit(self._opening.x, self._held)
        if verdict is not None and not isinstance(verdict, Refusal):
            verdict = await verdict
        if verdict is not None:
            return self._refused(verdict)
        bound = self._speech.bind(body)
        if isinstance(bound, Refusal):
            return self._refused(bound)
        reply = await self._forward(bound)
        if isinstance(reply, Refusal):
            return self._refused(reply)
        answer = self._speech.replied(bound, reply)
        return self._refused(answer) if isinstance(answer, Refusal) else self._record(answer, reply.code)

    async def _forward(self, bound: RequestMessage) -> UnaryReply | Refusal:
        opening, x = self._opening, self._opening.x
        target = x.target
        assert target is not None
        extra = ((b"edge-unknown-query", bound.captured_query),) if bound.captured else ()
        request = UnaryRequest(
            target.rpc.path.encode(), bound.message, metadata_of(opening, extra), x.deadline, target.max_response_bytes
        )
        trace = Trace()
        try:
            return await opening.serving.upstreams[target.upstream].unary(request, trace)
        finally:
            x.upstream_address, x.upstream_s = trace.address, trace.upstream_s

    def _refused(self, refusal: Refusal) -> Answer:
        self._opening.x.refusal = refusal
        return self._record(self._speech.refused(refusal), refusal.grpc_code)

    def _record(self, answer: Answer, code: int) -> Answer:
        """Every answer passes here: what became of the call is noted."""
        self._opening.x.status, self._opening.x.grpc_code = answer.status, code
        return answer

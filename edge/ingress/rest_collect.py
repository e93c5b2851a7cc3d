"""
How REST says a call whose client streams and whose service answers once: many messages in, one answer out.

Owns that the answer is as whole as a unary one: nothing of it leaves before the service has ended the call well.
Source: transcoding.md B10, B11.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from edge.core.grpc_status import Code
from edge.ingress.opening import Opening
from edge.ingress.rest_messages import RequestSide
from edge.ingress.rest_unary import RestUnary
from edge.ingress.service import Answer, AnswerSink, BodySource, Header
from edge.ingress.whole import send_whole
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.wire.codec import EncodeError, RequestMessage


class RestCollect:
    """`StreamSpeech` for methods whose client alone streams."""

    __slots__ = ("_message", "_opening", "_request", "_unary")

    def __init__(self, opening: Opening, unary: RestUnary, request: RequestSide) -> None:
        self._opening = opening
        self._unary = unary
        self._request = request
        self._message: bytes | None = None

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """The request's."""
        return self._request.messages(body)

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """The outcome has them too."""

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """Kept until the status has come. Raises EncodeError for a second one."""
        if self._message is not None or len(messages) > 1:
            raise EncodeError("more than one message where the method has one")
        self._message = messages[0]

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """The answer, whole."""
        return await send_whole(answer, self._answer(outcome))

    def _answer(self, outcome: UnaryReply | Refusal) -> Answer:
        if isinstance(outcome, Refusal):
            return self._unary.refused(outcome)
        if outcome.code == Code.OK:
            if self._message is None:
                return self._refused(Refusal(Fault.UPSTREAM_MALFORMED, detail="no message where the method has one"))
            outcome = replace(outcome, message=self._message)
        answer = self._unary.replied(RequestMessage(b"", self._request.render), outcome)
        return self._refused(answer) if isinstance(answer, Refusal) else answer

    def _refused(self, refusal: Refusal) -> Answer:
        x = self._opening
        x.refusal, x.grpc_code = refusal, refusal.grpc_code
        return self._unary.refused(refusal)

"""
How gRPC and gRPC-Web say a streaming call: frames both ways, the status behind them.

Owns that an answer always ends with a status, sent as trailers (gRPC) or as the body's last frame (gRPC-Web), whether messages came
before it or not. Source: PROTOCOL-HTTP2.md (Responses), PROTOCOL-WEB.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from edge.core.metadata import rpc_metadata
from edge.ingress.grpc_ending import trailers_of
from edge.ingress.grpc_terms import ENCODING, Terms
from edge.ingress.grpc_unary import head_of
from edge.ingress.opening import Opening
from edge.ingress.service import AnswerSink, BodySource, Header
from edge.ingress.together import say_together
from edge.outcome import OK, Refusal
from edge.upstream.call import UnaryReply


class GrpcStream:
    """`StreamSpeech` for one call."""

    __slots__ = ("_opening", "_started", "_terms")

    def __init__(self, opening: Opening, terms: Terms) -> None:
        self._opening = opening
        self._terms = terms
        self._started = False

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """Unframe them; one alone where the client does not stream."""
        opening = self._opening
        assert opening.target is not None
        reader = self._terms.reader(opening.serving.max_body_bytes)
        return reader.stream(body) if opening.target.rpc.client_streaming else reader.single(body)

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """The service's initial metadata under its own names."""
        self._start(answer, headers)

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """A frame each. Raises EncodeError."""
        terms = self._terms
        await say_together(answer.write, messages, lambda message: terms.wire.carried(terms.framed(message)))

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """The status."""
        if not self._started:
            # Two blocks where Trailers-Only has one: every client takes both, and only this one can follow a head already sent.
            self._start(answer, ())
        rest, trailers = self._terms.wire.ending(trailers_of(outcome))
        if rest:
            await answer.write(rest)
        answer.end(trailers)
        return OK

    def _start(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        self._started = True
        fields = head_of(self._terms, self._opening)
        if self._terms.gzip:  # said before any message exists; each says for itself whether it is compressed
            fields.append(ENCODING)
        answer.start(OK, [*fields, *rpc_metadata(headers)])

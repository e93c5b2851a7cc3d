"""
How Connect says a streaming call: enveloped messages both ways, and an envelope that tells the end.

Owns that the HTTP status is 200 whatever happens, and that an answer without an end envelope was cut off.
Source: https://connectrpc.com/docs/protocol (Streaming RPCs).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from edge.core.connect_envelope import end_envelope
from edge.core.connect_error import end_of_stream
from edge.core.message_coding import frame
from edge.core.metadata import rpc_metadata
from edge.ingress.connect_ending import error_of
from edge.ingress.grpc_messages import MessageReader
from edge.ingress.message_form import MessageForm
from edge.ingress.opening import Opening
from edge.ingress.service import AnswerSink, BodySource, Header
from edge.ingress.together import say_together
from edge.outcome import OK, Refusal
from edge.upstream.call import UnaryReply

MEDIA_TYPE = "application/connect"


class ConnectStream:
    """`StreamSpeech` for one call."""

    __slots__ = ("_coding", "_form", "_gzip", "_opening", "_started")

    def __init__(self, opening: Opening, form: MessageForm, coding: str, *, gzip: bool = False) -> None:
        """`coding` is how the client compresses its messages, `gzip` whether it takes ours compressed."""
        self._opening = opening
        self._form = form
        self._coding = coding
        self._gzip = gzip
        self._started = False

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """Take them out of their envelopes; one alone where the client does not stream."""
        opening = self._opening
        assert opening.target is not None
        reader = MessageReader(opening.serving.max_body_bytes, self._coding, self._form)
        return reader.stream(body) if opening.target.rpc.client_streaming else reader.single(body)

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """The service's initial metadata under its own names."""
        self._start(answer, headers)

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """An envelope each. Raises EncodeError."""
        await say_together(answer.write, messages, lambda message: frame(self._form.written(message), gzip=self._gzip))

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """The end envelope: the error, if there is one, and the trailers."""
        if not self._started:
            self._start(answer, ())
        target = self._opening.target
        assert target is not None
        trailers = () if isinstance(outcome, Refusal) else rpc_metadata(outcome.trailers)
        await answer.write(end_envelope(end_of_stream(error_of(outcome, target.api_codec), trailers)))
        answer.end()
        return OK

    def _start(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        self._started = True
        fields = [
            (b"content-type", f"{MEDIA_TYPE}+{self._form.name}".encode("ascii")),
            self._opening.id_field,
        ]
        if self._gzip:
            fields.append((b"connect-content-encoding", b"gzip"))
        answer.start(OK, [*fields, *rpc_metadata(headers)])

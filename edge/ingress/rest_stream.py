"""
How REST says a stream of answers: a JSON array, JSON lines, server-sent events, or the bytes of HttpBody messages.

Owns when the answer begins: with the first message, so that an error before it has its real status; how it ends, so that an error after
it is seen; and its content coding, in which each message is sent off before the next. Source: transcoding.md S1-S7, R4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import orjson

from edge.core import sse
from edge.core.content_coding import IDENTITY, MIN_COMPRESSED_BYTES, compressible, negotiate
from edge.core.grpc_status import Code
from edge.core.json_framing import EnvelopeFraming, Framing
from edge.core.metadata import TRAILER_PREFIX, plain, response_headers, status_override
from edge.core.stream_coding import PREFERENCE, StreamCoder, stream_coder
from edge.ingress.dress import dressed, say_coded
from edge.ingress.opening import Opening
from edge.ingress.respond import error_answer, refusal_answer
from edge.ingress.rest_messages import RequestSide
from edge.ingress.service import Answer, AnswerSink, BodySource, Header
from edge.ingress.together import say_together
from edge.ingress.whole import send_whole
from edge.outcome import OK, Refusal
from edge.routes import Route
from edge.upstream.call import UnaryReply
from edge.wire.codec import EncodeError, Render


class RestStream:
    """`StreamSpeech` for methods whose service streams. `event_id` names the field that is the id of server-sent events."""

    __slots__ = (
        "_coder",
        "_event_id",
        "_framing",
        "_headed",
        "_headers",
        "_names",
        "_opening",
        "_render",
        "_request",
        "_route",
        "_status",
    )

    def __init__(
        self, opening: Opening, route: Route, request: RequestSide, framing: Framing, *, event_id: str = ""
    ) -> None:
        self._opening = opening
        self._route = route
        self._request = request
        self._framing = framing
        self._event_id = event_id
        self._names = opening.serving.apis[route.api].metadata.response
        self._headed = False
        self._headers: Sequence[Header] = ()
        self._render: Render | None = None
        self._status = 0  # once the answer has begun
        self._coder: StreamCoder | None = None  # from then on, where the client prefers a coding

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """The request's."""
        return self._request.messages(body)

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None:
        """Kept for when the answer begins: the service may still fail before it has said anything."""
        self._headed, self._headers = True, headers

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None:
        """Items, sent before later ones exist. Raises EncodeError."""
        if self._render is None:
            render = self._request.render
            self._render = replace(render, pretty=False) if self._framing.one_line else render
        response, render, item = self._route.codec.response, self._render, self._framing.item

        def said(message: bytes) -> bytes:
            printed = response(message, render)
            if not self._status:
                self._start(answer, self._framing.media_type or _sound(printed.content_type))
            return item(printed.body, _id_of(printed.body, self._event_id) if self._event_id else "")

        async def write(piece: bytes) -> None:
            await answer.write(piece if self._coder is None else self._coder.piece(piece))

        await say_together(write, messages, said)

    async def heartbeat(self, answer: AnswerSink) -> None:
        """`Silence.tell`, for server-sent events: the client learns that its call is heard, and from then on that it lives."""
        if not self._status:
            self._start(answer, self._framing.media_type)
        await answer.write(sse.HEARTBEAT if self._coder is None else self._coder.piece(sse.HEARTBEAT))

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        """A good end; an error by its status, inside the body, or by cutting the body short."""
        if isinstance(outcome, UnaryReply) and outcome.code == Code.OK:
            return await self._finish_well(answer, outcome)
        error = self._error(outcome)
        if not self._status:
            return await send_whole(answer, self._enveloped(error))
        told = self._framing.error(error.body)
        if told is None:
            answer.abort()
        else:
            await self._say_last(answer, told)
            answer.end()
        return self._status

    def _enveloped(self, error: Answer) -> Answer:
        """To grpc-gateway a stream has begun, and its errors are items, once the service has sent its metadata."""
        if not (self._headed and isinstance(self._framing, EnvelopeFraming)):
            return error
        return error._replace(body=self._framing.error(error.body))

    async def _finish_well(self, answer: AnswerSink, outcome: UnaryReply) -> int:
        if not self._status:
            self._headers = outcome.headers
            self._start(answer, self._framing.media_type)
        await self._say_last(answer, self._framing.end())
        trailers = response_headers((), outcome.trailers, with_trailers=True)
        answer.end([field for field in trailers if field[0].startswith(TRAILER_PREFIX)])
        return self._status

    async def _say_last(self, answer: AnswerSink, data: bytes) -> None:
        if self._coder is not None:
            data = (self._coder.piece(data) if data else b"") + self._coder.end()
        await answer.write(data)

    def _start(self, answer: AnswerSink, media_type: str) -> None:
        headers = response_headers(self._headers, (), with_trailers=False, names=self._names)
        if media_type:
            headers.append((b"content-type", media_type.encode("latin-1", "replace")))
        if self._framing.media_type:
            headers.append((b"vary", b"accept"))
        if self._framing.media_type == sse.MEDIA_TYPE:
            headers += _unbuffered(headers)
        headers.append(self._opening.id_field)
        self._choose_coding(headers, media_type)
        status = status_override(self._headers) or OK
        answer.start(status, headers)
        self._status = status

    def _choose_coding(self, headers: list[Header], media_type: str) -> None:
        """How long the answer will be nobody knows: it counts as long enough."""
        opening = self._opening
        if not (opening.serving.apis[self._route.api].compression and compressible(media_type)):
            return
        accepted = opening.head.get(b"accept-encoding")
        coding = negotiate(accepted, MIN_COMPRESSED_BYTES, media_type, PREFERENCE) or IDENTITY
        say_coded(headers, coding)
        if coding != IDENTITY:
            self._coder = stream_coder(coding)

    def _error(self, outcome: UnaryReply | Refusal) -> Answer:
        opening = self._opening
        if isinstance(outcome, Refusal):
            answer = refusal_answer(outcome)
        else:
            wants_trailers = "trailers" in opening.head.get(b"te").lower()
            headers = response_headers(
                outcome.headers, outcome.trailers, with_trailers=wants_trailers, names=self._names
            )
            answer = error_answer(outcome, self._route.api_codec, headers, status_override(outcome.headers))
        return dressed(answer, opening.head, opening.id_field, compress=False)


def _sound(content_type: str) -> str:
    """An HttpBody's own type. Raises EncodeError for one that no header field can carry."""
    if content_type and not plain(((b"content-type", content_type),)):
        raise EncodeError("the content type of the answer is no header value")
    return content_type


def _unbuffered(headers: Sequence[Header]) -> list[Header]:
    """What keeps caches and nginx from holding events back, unless the service has a word of its own."""
    ours: list[Header] = [(b"x-accel-buffering", b"no")]
    if all(name != b"cache-control" for name, _ in headers):
        ours.append((b"cache-control", b"no-store"))
    return ours


def _id_of(text: bytes, field: str) -> str:
    """The field's value where it is text or a number; empty otherwise."""
    value = orjson.loads(text)
    found = value.get(field, "") if isinstance(value, dict) else ""
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""

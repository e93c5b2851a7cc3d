"""
The request side of a streaming method over REST: the body as one message, or cut into many.

Owns that every message is bound like a unary request, with path and query merged in by the same rules; and that a request whose path or
query cannot be right is refused before the service hears of it. Source: google/api/http.proto; transcoding.md B10, B11.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from edge.core.content_coding import CodingError
from edge.core.json_framing import LINES
from edge.core.json_stream import JsonSplitter, JsonStreamError
from edge.core.stream_inflate import coding_of
from edge.ingress.inflating_body import inflating
from edge.ingress.opening import Opening
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.rest_unary import RestUnary
from edge.ingress.service import BodyBroken, BodySource
from edge.ingress.stream_call import Extra
from edge.outcome import Fault, FieldViolation, Refusal
from edge.routes import Route
from edge.wire.codec import BindingError, Render, RequestMessage, Source

CUT_BYTES = 256 * 1024
"""A raw upload is cut into messages of at most this: well below the 4 MiB that gRPC servers take unless told otherwise."""

MAX_DEPTH = 128
"""Brackets in one message of a stream; what an API allows, which is less, is its codec's to refuse."""

_JSON = "application/json"


class RequestSide(Protocol):
    """A request's messages. `render` is known once `prepare` has returned."""

    render: Render

    async def prepare(self, body: BodySource) -> Extra | Refusal:
        """`edge.ingress.stream_call.Prepare`."""

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """`StreamSpeech.messages`."""


class OneMessage:
    """The message of a method whose client does not stream: read, inflated and bound as for a unary one."""

    __slots__ = ("_message", "_unary", "render")

    def __init__(self, unary: RestUnary) -> None:
        self._unary = unary
        self._message = b""
        self.render = Render()

    async def prepare(self, body: BodySource) -> Extra | Refusal:
        """The whole body; the connection bounds it."""
        bound = self._unary.bind(await _whole(body))
        if isinstance(bound, Refusal):
            return bound
        self._message, self.render = bound.message, bound.render
        return _captured(bound)

    async def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """It."""
        yield self._message


class ManyMessages:
    """The messages of a method whose client streams: JSON texts, or an upload of bytes in pieces."""

    __slots__ = ("_captures", "_coding", "_content_type", "_count", "_lines", "_opening", "_route", "render")

    def __init__(self, opening: Opening, route: Route, captures: Sequence[str]) -> None:
        self._opening = opening
        self._route = route
        self._captures = captures
        self._content_type = opening.head.get(b"content-type")
        self._coding = coding_of(opening.head.get(b"content-encoding"))
        self._lines = is_lines(self._content_type)
        self._count = 0
        self.render = Render()

    async def prepare(self, body: BodySource) -> Extra | Refusal:
        """What every message will have in common must be right."""
        if isinstance(self._coding, CodingError):
            return coding_refusal(self._coding)
        try:
            bound = self._route.codec.request(self._captures, self._opening.head.query, b"", "")
        except BindingError as error:
            # A message may be wrong without its body that is right with it.
            return () if error.source is Source.BODY else binding_refusal(error)
        self.render = bound.render
        return _captured(bound)

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        """As they come. Raises BodyBroken for the first that is none."""
        if not self._route.binding.body:
            return self._bodiless()
        return self._inflated(body)

    async def _inflated(self, body: BodySource) -> AsyncGenerator[bytes, None]:
        assert isinstance(self._coding, str)  # or `prepare` has refused it
        with inflating(body, self._coding) as plain:
            messages = self._raw(plain) if self._route.codec.takes_raw else self._json(plain)
            async with aclosing(messages):  # dropped, it would be closed by a task of its own
                async for message in messages:
                    yield message

    async def _bodiless(self) -> AsyncIterator[bytes]:
        """A rule without a body says all in path and query: one message."""
        yield self._bind(b"", "")

    async def _raw(self, body: BodySource) -> AsyncGenerator[bytes, None]:
        """Pieces as they come; an empty upload is one empty message, for the service to learn what path and query say."""
        while data := await body.read():
            for start in range(0, len(data), CUT_BYTES):
                yield self._bind(data[start : start + CUT_BYTES], self._content_type)
        if not self._count:
            yield self._bind(b"", self._content_type)

    async def _json(self, body: BodySource) -> AsyncGenerator[bytes, None]:
        media_type = _JSON if self._lines else self._content_type
        splitter = JsonSplitter(self._opening.serving.max_body_bytes, MAX_DEPTH, array=not self._lines)
        try:
            while data := await body.read():
                for text in splitter.feed(data):
                    yield self._bind(text, media_type)
            for text in splitter.finish():
                yield self._bind(text, media_type)
        except JsonStreamError as error:
            raise BodyBroken(self._uncut(error)) from error

    def _bind(self, data: bytes, media_type: str) -> bytes:
        self._count += 1
        try:
            return self._route.codec.request(self._captures, self._opening.head.query, data, media_type).message
        except BindingError as error:
            refusal = binding_refusal(error)
            if refusal.fault is Fault.INVALID_ARGUMENT:
                refusal = replace(refusal, message=f"message {self._count}: {refusal.public_message}")
            raise BodyBroken(refusal) from error

    def _uncut(self, error: JsonStreamError) -> Refusal:
        text = f"message {self._count + 1} of the body {error}"
        if error.too_large:
            return Refusal(Fault.BODY_TOO_LARGE, message=text)
        return Refusal(Fault.INVALID_ARGUMENT, message=text, violations=(FieldViolation("body", text),))


def is_lines(content_type: str) -> bool:
    """Whether a body so declared is JSON lines."""
    return content_type.partition(";")[0].strip().lower() in LINES


def _captured(bound: RequestMessage) -> Extra:
    return ((b"edge-unknown-query", bound.captured_query),) if bound.captured else ()


async def _whole(body: BodySource) -> bytes:
    first = await body.read()
    pieces = [first]
    while pieces[-1]:
        pieces.append(await body.read())
    return b"".join(pieces)

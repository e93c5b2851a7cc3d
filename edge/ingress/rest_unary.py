"""
How REST says a unary call: JSON (or an HttpBody) in, JSON (or an HttpBody, or google.rpc.Status) out.

Owns REST's reading of content codings, its choice of response headers and status, and the last touches for the client at hand.
Source: google/api/http.proto; transcoding.md B, R, E, H.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from edge.core.content_coding import compressible, inflate
from edge.core.metadata import plain, status_fields, told
from edge.ingress.dress import dress, dressed
from edge.ingress.google_error import for_client
from edge.ingress.opening import Opening
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.respond import error_answer, refusal_answer
from edge.ingress.service import Answer, Header
from edge.outcome import OK, Fault, Refusal
from edge.routes import Route
from edge.upstream.call import UnaryReply
from edge.wire.codec import BindingError, EncodeError, RequestMessage


class RestUnary:
    """`UnarySpeech` for one matched request."""

    __slots__ = ("_captures", "_opening", "_route", "_settings")

    def __init__(self, opening: Opening, route: Route, captures: Sequence[str]) -> None:
        self._opening = opening
        self._route = route
        self._captures = captures
        self._settings = opening.serving.apis[route.api]

    def bind(self, body: bytes) -> RequestMessage | Refusal:
        """Inflate within bounds, then merge path, query and body."""
        head = self._opening.head
        first = head.first
        if coding := first.get(b"content-encoding"):
            inflated = inflate(coding.decode("latin-1"), body, self._opening.serving.max_body_bytes)
            if not isinstance(inflated, bytes):
                return coding_refusal(inflated)
            body = inflated
        try:
            content_type = first.get(b"content-type", b"").decode("latin-1")
            return self._route.codec.request(self._captures, head.query, body, content_type)
        except BindingError as error:
            return binding_refusal(error)

    def replied(self, request: RequestMessage, reply: UnaryReply) -> Answer | Refusal:
        """The message as JSON, or the status as google.rpc.Status."""
        opening = self._opening
        fields: Sequence[Header] = ()
        status = None
        rules = self._settings.metadata
        if reply.headers or reply.trailers:
            wants_trailers = b"trailers" in opening.head.first.get(b"te", b"").lower()
            fields, status = told(tuple(reply.headers), tuple(reply.trailers), rules.response, wants_trailers)
        if rules.grpc_status:
            fields = (*fields, *status_fields(reply.code, reply.text))
        if reply.message is None:
            failed = error_answer(reply, self._route.api_codec, fields, status)
            return self._dressed(for_client(failed, opening.head))
        try:
            printed = self._route.codec.response(reply.message, request.render)
        except EncodeError as error:
            return Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error))
        media_type = printed.content_type
        known = _content_type if len(media_type) <= _MAX_CHARS else _content_type.__wrapped__
        content_type, can_compress = known(media_type)
        if content_type is None:
            return Refusal(Fault.UPSTREAM_MALFORMED, detail="the content type of the answer is no header value")
        return dress(
            OK if status is None else status,
            [content_type, *fields],
            printed.body,
            opening.head,
            opening.id_field,
            compress=can_compress and self._settings.compression,
        )

    def refused(self, refusal: Refusal) -> Answer:
        """google.rpc.Status as JSON."""
        answer = refusal_answer(refusal)
        if self._settings.metadata.grpc_status:
            fields = status_fields(refusal.grpc_code, refusal.public_message)
            answer = answer._replace(headers=(*answer.headers, *fields))
        return self._dressed(for_client(answer, self._opening.head))

    def _dressed(self, answer: Answer) -> Answer:
        opening = self._opening
        return dressed(answer, opening.head, opening.id_field, compress=self._settings.compression)


_MAX_CHARS = 128
"""Of a content type that is remembered: an HttpBody's may be what some client made of it."""


@lru_cache(maxsize=64)  # one for JSON, and those of HttpBody messages
def _content_type(media_type: str) -> tuple[Header | None, bool]:
    """The field, None for an HttpBody's own type with characters that no field can carry; and whether it is worth compressing."""
    return next(iter(plain(((b"content-type", media_type),))), None), compressible(media_type)

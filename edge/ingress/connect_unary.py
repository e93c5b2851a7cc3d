"""
How Connect says a unary call: the message is the body, trailers are headers, an error has its HTTP status.

Owns that shape, for POST and for GET. Compression is HTTP's own. Source: https://connectrpc.com/docs/protocol (Unary RPCs).
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.connect_error import error_body
from edge.core.connect_get import GetCall
from edge.core.content_coding import inflate
from edge.core.metadata import rpc_metadata
from edge.ingress.connect_ending import error_of, http_status_of
from edge.ingress.dress import dressed
from edge.ingress.message_form import RENDER, MessageForm
from edge.ingress.opening import Opening
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.service import Answer, Header
from edge.outcome import OK, Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.wire.codec import BindingError, EncodeError, RequestMessage

_JSON = (b"content-type", b"application/json")
_TRAILER = b"trailer-"


class ConnectUnary:
    """`UnarySpeech` for one call. `get` is there when the message came in the query."""

    __slots__ = ("_coding", "_form", "_get", "_opening")

    def __init__(self, opening: Opening, form: MessageForm, coding: str, get: GetCall | None) -> None:
        self._opening = opening
        self._form = form
        self._coding = coding
        self._get = get

    def bind(self, body: bytes) -> RequestMessage | Refusal:
        """Inflate within bounds, then read."""
        message = body if self._get is None else self._get.message
        if self._coding:
            inflated = inflate(self._coding, message, self._opening.serving.max_body_bytes)
            if not isinstance(inflated, bytes):
                return coding_refusal(inflated)
            message = inflated
        try:
            return RequestMessage(self._form.read(message), RENDER)
        except BindingError as error:
            return binding_refusal(error)

    def replied(self, request: RequestMessage, reply: UnaryReply) -> Answer | Refusal:
        """The message, or the error."""
        metadata = rpc_metadata(reply.headers)
        metadata += [(_TRAILER + name, value) for name, value in rpc_metadata(reply.trailers)]
        if reply.message is None:
            return self._error(reply, metadata)
        try:
            body = self._form.written(reply.message)
        except EncodeError as error:
            return Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error))
        content_type = (b"content-type", b"application/" + self._form.name.encode("ascii"))
        return self._dressed(Answer(OK, [content_type, *metadata], body))

    def refused(self, refusal: Refusal) -> Answer:
        """The error."""
        return self._error(refusal, ())

    def _error(self, outcome: UnaryReply | Refusal, metadata: Iterable[Header]) -> Answer:
        target = self._opening.target
        error = error_of(outcome, None if target is None else target.api_codec)
        assert error is not None
        return self._dressed(Answer(http_status_of(outcome), [_JSON, *metadata], error_body(error)))

    def _dressed(self, answer: Answer) -> Answer:
        opening = self._opening
        assert opening.target is not None
        compress = opening.serving.apis[opening.target.api].compression
        return dressed(answer, opening.head, opening.id_field, compress=compress)

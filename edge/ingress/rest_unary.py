"""
How REST says a unary call: JSON (or an HttpBody) in, JSON (or an HttpBody, or google.rpc.Status) out.

Owns REST's reading of content codings, its choice of response headers and status, and the last touches for the client at hand.
Source: google/api/http.proto; transcoding.md B, R, E, H.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.content_coding import inflate
from edge.core.grpc_status import Code
from edge.core.metadata import MetadataRules, plain, response_headers, status_fields, status_override
from edge.ingress.dress import dressed
from edge.ingress.google_error import for_client
from edge.ingress.opening import Opening
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.respond import error_answer, refusal_answer
from edge.ingress.service import Answer
from edge.outcome import Fault, Refusal, http_of_code
from edge.routes import Route
from edge.upstream.call import UnaryReply
from edge.wire.codec import BindingError, EncodeError, RequestMessage


class RestUnary:
    """`UnarySpeech` for one matched request."""

    __slots__ = ("_captures", "_opening", "_route")

    def __init__(self, opening: Opening, route: Route, captures: Sequence[str]) -> None:
        self._opening = opening
        self._route = route
        self._captures = captures

    def bind(self, body: bytes) -> RequestMessage | Refusal:
        """Inflate within bounds, then merge path, query and body."""
        head = self._opening.head
        coding = head.get(b"content-encoding")
        if coding:
            inflated = inflate(coding, body, self._opening.serving.max_body_bytes)
            if not isinstance(inflated, bytes):
                return coding_refusal(inflated)
            body = inflated
        try:
            return self._route.codec.request(self._captures, head.query, body, head.get(b"content-type"))
        except BindingError as error:
            return binding_refusal(error)

    def replied(self, request: RequestMessage, reply: UnaryReply) -> Answer | Refusal:
        """The message as JSON, or the status as google.rpc.Status."""
        wants_trailers = "trailers" in self._opening.head.get(b"te").lower()
        rules = self._rules
        headers = response_headers(reply.headers, reply.trailers, with_trailers=wants_trailers, names=rules.response)
        if rules.grpc_status:
            headers += status_fields(reply.code, reply.text)
        status = status_override(reply.headers)
        if reply.message is None:
            failed = error_answer(reply, self._route.api_codec, headers, status)
            return self._dressed(for_client(failed, self._opening.head))
        try:
            printed = self._route.codec.response(reply.message, request.render)
        except EncodeError as error:
            return Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error))
        content_type = plain(((b"content-type", printed.content_type),))
        if not content_type:  # an HttpBody's own, with characters that no header field can carry
            return Refusal(Fault.UPSTREAM_MALFORMED, detail="the content type of the answer is no header value")
        headers += content_type
        return self._dressed(Answer(status or http_of_code(Code.OK), headers, printed.body))

    def refused(self, refusal: Refusal) -> Answer:
        """google.rpc.Status as JSON."""
        answer = refusal_answer(refusal)
        if self._rules.grpc_status:
            fields = status_fields(refusal.grpc_code, refusal.public_message)
            answer = answer._replace(headers=(*answer.headers, *fields))
        return self._dressed(for_client(answer, self._opening.head))

    @property
    def _rules(self) -> MetadataRules:
        return self._opening.serving.apis[self._route.api].metadata

    def _dressed(self, answer: Answer) -> Answer:
        opening = self._opening
        compress = opening.serving.apis[self._route.api].compression
        return dressed(answer, opening.head, opening.x.request_id, compress=compress)

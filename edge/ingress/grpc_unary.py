"""
How gRPC and gRPC-Web say a unary call: one frame in, one frame and a status out.

Owns the shape of an answer: a message with trailers behind it, or, for an error of which there is nothing else to say, the one block
called Trailers-Only. Source: PROTOCOL-HTTP2.md (Responses), PROTOCOL-WEB.md.
"""

from __future__ import annotations

import re

from edge.core.message_coding import is_compressed
from edge.core.metadata import rpc_told
from edge.ingress.grpc_ending import trailers_of
from edge.ingress.grpc_terms import ACCEPTED, ENCODING, Terms
from edge.ingress.message_form import RENDER
from edge.ingress.opening import Opening
from edge.ingress.service import Answer, Header
from edge.outcome import HTTP_FAULTS, OK, Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.wire.codec import EncodeError, RequestMessage

_KNOWN = re.compile(r"application/grpc(-web(-text)?)?(\+(proto|json))?").fullmatch


class GrpcUnary:
    """`UnarySpeech` for one call."""

    __slots__ = ("_opening", "_terms")

    def __init__(self, opening: Opening, terms: Terms) -> None:
        self._opening = opening
        self._terms = terms

    def bind(self, body: bytes) -> RequestMessage | Refusal:
        """Unframe the one message."""
        whole = self._terms.message(body, self._opening.serving.max_body_bytes)
        if whole is not None:
            return RequestMessage(whole, RENDER)
        message = self._terms.reader(self._opening.serving.max_body_bytes).only(body)
        return message if isinstance(message, Refusal) else RequestMessage(message, RENDER)

    def replied(self, request: RequestMessage, reply: UnaryReply) -> Answer | Refusal:
        """The message and its status, or the error's status."""
        head, trailers = self._head(), trailers_of(reply)
        if reply.message is None and not reply.headers:
            return Answer(OK, head + trailers)
        wire, body = self._terms.wire, b""
        if reply.message is not None:
            try:
                framed = self._terms.framed(reply.message)
            except EncodeError as error:
                return Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error))
            if is_compressed(framed):
                head.append(ENCODING)
            body = wire.carried(framed)
        rest, behind = wire.ending(trailers)
        if reply.headers:
            head += rpc_told(tuple(reply.headers))
        return Answer(OK, head, body + rest if rest else body, trailers=behind)

    def refused(self, refusal: Refusal) -> Answer:
        """Trailers-Only."""
        return Answer(OK, self._head() + trailers_of(refusal))

    def _head(self) -> list[Header]:
        return head_of(self._terms, self._opening)


def head_of(terms: Terms, opening: Opening) -> list[Header]:
    """The fields every answer of a call begins with."""
    return [(b"content-type", terms.media_type), opening.id_field]


def refused_on_head(opening: Opening, refusal: Refusal, media_type: str) -> Answer:
    """
    The answer to a head that became no call: Trailers-Only, of the type the client named where that can be understood.

    Where it is the HTTP that is wrong, its status says so to clients that are none of gRPC.
    """
    status = refusal.http_status if refusal.fault in HTTP_FAULTS else OK
    asked = opening.head.get(b"content-type").partition(";")[0].strip().lower()
    known = _KNOWN(asked) if asked.startswith(media_type) else None
    headers: list[Header] = [(b"content-type", (known[0] if known else media_type).encode("ascii"))]
    headers += trailers_of(refusal)
    if refusal.allow:
        headers.append((b"allow", ", ".join(refusal.allow).encode("ascii")))
    if refusal.fault is Fault.MESSAGE_CODING_UNSUPPORTED:
        headers.append(ACCEPTED)
    return Answer(status, headers)

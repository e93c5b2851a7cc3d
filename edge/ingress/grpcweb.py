"""
gRPC-Web's reading of heads: gRPC for those that see no trailers, over any version of HTTP, as bytes or as text.

Owns what is left out over HTTP/1.1: bidirectional streams. Source: PROTOCOL-WEB.md.
"""

from __future__ import annotations

from http import HTTPMethod

from edge.ingress.grpc import grpc_call
from edge.ingress.grpc_terms import GRPC_WEB, GRPC_WEB_TEXT, terms_of
from edge.ingress.grpc_unary import refused_on_head
from edge.ingress.opening import Opening
from edge.ingress.rpc_target import needs_http2, rpc_target
from edge.ingress.service import Answer, Call, StreamCall
from edge.outcome import Fault, Refusal

_WIRES = (GRPC_WEB, GRPC_WEB_TEXT)


class GrpcWebFront:
    """`DialectFront` for gRPC-Web."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Find the RPC by its path."""
        if opening.head.method != HTTPMethod.POST:
            return Refusal(Fault.METHOD_NOT_ALLOWED, allow=(HTTPMethod.POST.value,))
        target = rpc_target(opening)
        if isinstance(target, Refusal):
            return target
        compress = opening.serving.apis[target.api].compression
        terms = needs_http2(opening, target) or terms_of(opening.head, _WIRES, target, compress=compress)
        return terms if isinstance(terms, Refusal) else grpc_call(opening, target, terms)

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """A status in the head: there is no body that could be text or bytes."""
        return refused_on_head(opening, refusal, GRPC_WEB.media_type)

"""
gRPC's reading of heads.

Owns that gRPC is spoken over HTTP/2 only: without trailers no client could tell a whole answer from half of one.
Source: PROTOCOL-HTTP2.md (Requests).
"""

from __future__ import annotations

from http import HTTPMethod

from edge.ingress.grpc_stream import GrpcStream
from edge.ingress.grpc_terms import GRPC, Terms, terms_of
from edge.ingress.grpc_unary import GrpcUnary, refused_on_head
from edge.ingress.opening import Opening, resolve
from edge.ingress.rpc_target import is_streaming, rpc_target
from edge.ingress.service import Answer, Call, StreamCall
from edge.ingress.stream_call import StreamCall as StreamingCall
from edge.ingress.unary_call import UnaryCall
from edge.outcome import Fault, Refusal
from edge.routes import Target


class GrpcFront:
    """`DialectFront` for gRPC."""

    def open(self, opening: Opening) -> Call | StreamCall | Refusal:
        """Find the RPC by its path."""
        head = opening.head
        if not head.version.startswith("2"):
            return Refusal(Fault.HTTP_VERSION_UNSUPPORTED, message="gRPC needs HTTP/2")
        if head.method != "POST":
            return Refusal(Fault.METHOD_NOT_ALLOWED, allow=(HTTPMethod.POST.value,))
        target = rpc_target(opening)
        if isinstance(target, Refusal):
            return target
        terms = terms_of(head, (GRPC,), target, compress=opening.serving.apis[target.api].compression)
        return terms if isinstance(terms, Refusal) else grpc_call(opening, target, terms)

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """A status without a message."""
        return refused_on_head(opening, refusal, GRPC.media_type)


def grpc_call(opening: Opening, target: Target, terms: Terms) -> Call | StreamCall | Refusal:
    """The call, of whichever kind the RPC is."""
    streaming = is_streaming(target)
    refusal = resolve(opening, target, deadline_from_route=not streaming)
    if refusal is not None:
        return refusal
    max_body_bytes = terms.wire.body_bytes(opening.serving.max_body_bytes)
    if streaming:
        bound = None if target.rpc.client_streaming else max_body_bytes
        return StreamingCall(opening, GrpcStream(opening, terms), max_body_bytes=bound)
    return UnaryCall(opening, GrpcUnary(opening, terms), max_body_bytes=max_body_bytes)

"""
REST's reading of heads: which route, what is answered without a body byte being read, and which shape of call it becomes.

Owns 404, 405 and 503-while-loading; and that a method streams over REST exactly as its RPC does.
Source: google/api/http.proto; transcoding.md P8, D1, D2, D4, S1.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core import sse
from edge.core.grpc_status import Code
from edge.core.json_framing import Format, Framing, RawFraming, framing
from edge.ingress.google_error import for_client
from edge.ingress.opening import Opening, resolve
from edge.ingress.respond import refusal_answer
from edge.ingress.rest_collect import RestCollect
from edge.ingress.rest_messages import ManyMessages, OneMessage, RequestSide, is_lines
from edge.ingress.rest_stream import RestStream
from edge.ingress.rest_unary import RestUnary
from edge.ingress.service import Answer, Call
from edge.ingress.service import StreamCall as Streaming
from edge.ingress.serving import Serving
from edge.ingress.stream_call import Silence, StreamCall
from edge.ingress.unary_call import UnaryCall
from edge.outcome import Fault, Refusal
from edge.routes import Missing, Route


class RestFront:
    """`DialectFront` for REST."""

    def open(self, opening: Opening) -> Call | Streaming | Refusal:
        """Match the path, and make the call its method calls for."""
        found = opening.serving.routes.lookup(opening.head.method, opening.head.path)
        if isinstance(found, Missing):
            return _unmatched(found, opening)
        route = found.value
        streaming = route.rpc.client_streaming or route.rpc.server_streaming
        refusal = resolve(opening, route, deadline_from_route=not streaming)
        if refusal is not None:
            return refusal
        unary = RestUnary(opening, route, found.captures)
        return _streaming(opening, route, found.captures, unary) if streaming else UnaryCall(opening, unary)

    def refused(self, opening: Opening, refusal: Refusal) -> Answer:
        """google.rpc.Status as JSON."""
        return for_client(refusal_answer(refusal), opening.head)


def _streaming(opening: Opening, route: Route, captures: Sequence[str], unary: RestUnary) -> StreamCall:
    if route.rpc.client_streaming:
        request: RequestSide = ManyMessages(opening, route, captures)
        limit = None  # each message has its own
    else:
        request, limit = OneMessage(unary), opening.serving.max_body_bytes
    if not route.rpc.server_streaming:
        return StreamCall(opening, RestCollect(opening, unary, request), max_body_bytes=limit, prepare=request.prepare)
    settings = opening.serving.apis[route.api].streaming
    made = _framing(opening, route, settings.format)
    events = made.media_type == sse.MEDIA_TYPE
    speech = RestStream(opening, route, request, made, event_id=settings.event_id if events else "")
    silence = Silence(settings.heartbeat_s, speech.heartbeat) if events else None
    return StreamCall(opening, speech, max_body_bytes=limit, prepare=request.prepare, silence=silence)


def _framing(opening: Opening, route: Route, default: Format) -> Framing:
    if route.codec.gives_raw:
        return RawFraming()
    head = opening.head
    if default == "array" and route.rpc.client_streaming and is_lines(head.get(b"content-type")):
        default = "ndjson"  # who talks in lines reads them
    return framing(head.get(b"accept"), default, head.get(b"last-event-id"))


def _unmatched(missing: Missing, opening: Opening) -> Refusal:
    serving = opening.serving
    if missing.malformed:
        return Refusal(Fault.MALFORMED_REQUEST, message=f"the path is not valid: {missing.malformed}")
    if missing.allow:
        unimplemented = _answers_unimplemented(serving, missing.allow[0], opening.head.path)
        return Refusal(
            Fault.METHOD_NOT_ALLOWED, allow=missing.allow, code=Code.UNIMPLEMENTED if unimplemented else None
        )
    if serving.loading:
        return Refusal(Fault.NOT_READY, detail=f"loading: {', '.join(serving.loading)}", retry_after_s=1.0)
    return Refusal(Fault.ROUTE_NOT_FOUND)


def _answers_unimplemented(serving: Serving, method: str, path: str) -> bool:
    """Whether the API that has the path with one of its own methods says so of the others."""
    found = serving.routes.lookup(method, path)
    return not isinstance(found, Missing) and serving.apis[found.value.api].unimplemented

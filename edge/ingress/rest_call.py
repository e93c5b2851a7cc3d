"""
One REST call from its body to its settled end.

Owns the sequence admit → inflate and bind → forward → print, and that each way out of it is recorded on the Exchange before the
answer leaves. Refusals travel as values; a cancelled task (the client went away) records CANCELLED and lets the cancellation through.
Source: docs/life-of-a-request.md; transcoding.md B, R, E, H, D.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode

import structlog

from edge.core.content_coding import inflate
from edge.core.forwarded import Forwarded
from edge.core.grpc_status import Code
from edge.core.metadata import plain, request_metadata, response_headers, status_override
from edge.exchange import Exchange
from edge.ingress.dress import dressed
from edge.ingress.google_error import for_client
from edge.ingress.refusals import binding_refusal, coding_refusal
from edge.ingress.respond import error_answer, refusal_answer
from edge.ingress.service import Answer, Head, Header
from edge.ingress.serving import Serving
from edge.outcome import Fault, Refusal, http_of_code
from edge.pipeline import Pipeline
from edge.routes import Route
from edge.upstream.call import Trace, UnaryReply, UnaryRequest
from edge.wire.codec import BindingError, EncodeError, Render, RequestMessage

_log = structlog.get_logger("edge.rest")


class RestCall:
    """A matched request; the protocol handler brings its body and says when the answer is out."""

    __slots__ = ("_captures", "_head", "_held", "_origin", "_pipeline", "_route", "_serving", "_x")

    def __init__(
        self,
        pipeline: Pipeline,
        serving: Serving,
        x: Exchange,
        head: Head,
        origin: Forwarded,
        captures: Sequence[str],
    ) -> None:
        assert x.route is not None
        self._pipeline = pipeline
        self._serving = serving
        self._x = x
        self._route: Route = x.route
        self._head = head
        self._origin = origin
        self._captures = captures
        self._held = pipeline.open()

    @property
    def max_body_bytes(self) -> int:
        """The most body bytes this call may bring, as sent."""
        return self._serving.max_body_bytes

    async def finish(self, body: bytes) -> Answer:
        """Run the call; whatever happens, the Exchange tells of it."""
        self._x.request_bytes = len(body)
        try:
            return await self._run(body)
        except asyncio.CancelledError:
            self._refused(Refusal(Fault.CANCELLED))
            raise
        except Exception:  # noqa: BLE001  # a bug of ours must become an answer and an end, not a hung client
            _log.exception("call failed inside the gateway", request_id=self._x.request_id, rpc=self._route.rpc.path)
            return self._refused(Refusal(Fault.INTERNAL))

    def abandon(self, refusal: Refusal) -> Answer:
        """The body will not be whole."""
        return self._refused(refusal)

    def sent(self, response_bytes: int) -> None:
        """The answer is out, or nobody is left to read it: give back what is held, log."""
        self._x.response_bytes = response_bytes
        self._held.settle(self._x)

    async def _run(self, body: bytes) -> Answer:
        verdict = self._pipeline.admit(self._x, self._held)
        if verdict is not None and not isinstance(verdict, Refusal):
            verdict = await verdict
        if verdict is not None:
            return self._refused(verdict)
        bound = self._bind(body)
        if isinstance(bound, Refusal):
            return self._refused(bound)
        reply = await self._forward(bound)
        return self._refused(reply) if isinstance(reply, Refusal) else self._replied(reply, bound.render)

    def _bind(self, body: bytes) -> RequestMessage | Refusal:
        coding = self._head.get(b"content-encoding")
        if coding:
            inflated = inflate(coding, body, self.max_body_bytes)
            if not isinstance(inflated, bytes):
                return coding_refusal(inflated)
            body = inflated
        try:
            return self._route.codec.request(self._captures, self._head.query, body, self._head.get(b"content-type"))
        except BindingError as error:
            return binding_refusal(error)

    async def _forward(self, bound: RequestMessage) -> UnaryReply | Refusal:
        x, route = self._x, self._route
        request = UnaryRequest(
            route.rpc.path.encode(), bound.message, self._metadata(bound.captured), x.deadline, route.max_response_bytes
        )
        trace = Trace()
        try:
            return await self._serving.upstreams[route.upstream].unary(request, trace)
        finally:
            x.upstream_address, x.upstream_s = trace.address, trace.upstream_s

    def _metadata(self, captured: Sequence[tuple[str, str]]) -> list[Header]:
        """What the service is told: the client's headers by the API's rules; who and where the client is, by our own word."""
        metadata = request_metadata(self._head.headers, self._serving.apis[self._route.api].metadata)
        metadata += plain(
            (
                (b"x-request-id", self._x.request_id),
                (b"x-forwarded-for", self._origin.chain),
                (b"x-forwarded-proto", self._origin.proto),
                (b"x-forwarded-host", self._origin.host),
                (b"x-forwarded-user-agent", self._x.user_agent),
                (b"edge-unknown-query", urlencode(captured) if captured else ""),
            )
        )
        return metadata

    def _replied(self, reply: UnaryReply, render: Render) -> Answer:
        """The service answered: its message as JSON, or its status as google.rpc.Status."""
        wants_trailers = "trailers" in self._head.get(b"te").lower()
        headers = response_headers(reply.headers, reply.trailers, with_trailers=wants_trailers)
        status = status_override(reply.headers)
        if reply.message is None:
            failed = error_answer(reply, self._route.api_codec, headers, status)
            return self._record(for_client(failed, self._head), reply.code)
        try:
            printed = self._route.codec.response(reply.message, render)
        except EncodeError as error:
            return self._refused(Refusal(Fault.UPSTREAM_MALFORMED, detail=str(error)))
        content_type = plain(((b"content-type", printed.content_type),))
        if not content_type:  # an HttpBody's own, with characters that no header field can carry
            return self._refused(
                Refusal(Fault.UPSTREAM_MALFORMED, detail="the content type of the answer is no header value")
            )
        headers += content_type
        return self._record(Answer(status or http_of_code(Code.OK), headers, printed.body), reply.code)

    def _refused(self, refusal: Refusal) -> Answer:
        self._x.refusal = refusal
        return self._record(for_client(refusal_answer(refusal), self._head), refusal.grpc_code)

    def _record(self, answer: Answer, code: int) -> Answer:
        """Every answer passes here: what became of the call is noted, and the answer dressed for this client."""
        compress = self._serving.apis[self._route.api].compression
        answer = dressed(answer, self._head, self._x.request_id, compress=compress)
        self._x.status, self._x.grpc_code = answer.status, code
        return answer

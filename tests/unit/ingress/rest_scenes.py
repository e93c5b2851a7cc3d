"""Streaming methods over REST: a codec that shows what passed it, before a scripted upstream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edge.app.dialects import front
from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.exchange import Exchange
from edge.ingress.service import Answer, AnswerSink, BodySource, Head, StreamCall
from edge.ingress.serving import ApiSettings, Serving, StreamSettings
from edge.pipeline import Pipeline, Policy
from edge.routes import ApiRoutes, compile_routes
from edge.wire.codec import BindingError, EncodeError, JsonOptions, Render, RequestMessage, ResponseBody, Source
from tests.stub_api import StubApi
from tests.unit.ingress.rpc_scenes import LIMIT, Pieces, ScriptedStreams, Sink
from tests.unit.ingress.scenes import head

_BINDINGS = (
    HttpBinding(Rpc("pkg.Svc", "Down", "pkg.In", "pkg.Out", server_streaming=True), "GET", "/down/{x}", ""),
    HttpBinding(Rpc("pkg.Svc", "Down", "pkg.In", "pkg.Out", server_streaming=True), "POST", "/down", "*"),
    HttpBinding(Rpc("pkg.Svc", "Up", "pkg.In", "pkg.Out", client_streaming=True), "POST", "/up", "*"),
    HttpBinding(Rpc("pkg.Svc", "Up", "pkg.In", "pkg.Out", client_streaming=True), "GET", "/up/{x}", ""),
    HttpBinding(Rpc("pkg.Svc", "Both", "pkg.In", "pkg.Out", client_streaming=True, server_streaming=True), "POST", "/both", "*"),
    HttpBinding(Rpc("pkg.Svc", "RawDown", "pkg.In", "pkg.Raw", server_streaming=True), "GET", "/raw", ""),
    HttpBinding(Rpc("pkg.Svc", "RawUp", "pkg.Raw", "pkg.Out", client_streaming=True), "POST", "/raw", "*"),
)  # fmt: skip


class JoiningMethod:
    """The message is path, query, media type and body joined; an answer `x` is the JSON `x`."""

    def __init__(self, takes_raw: bool, gives_raw: bool) -> None:
        self.takes_raw = takes_raw
        self.gives_raw = gives_raw

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        if query == "bad":
            raise BindingError(Source.QUERY, "bad", "no such parameter")
        if query == "required" and not body:
            raise BindingError(Source.BODY, "a", "is required")
        if body == b'"misfit"':
            raise BindingError(Source.BODY, "a.b", "is not a number")
        if content_type == "text/plain":
            raise BindingError(Source.MEDIA_TYPE, "", "the body must be application/json")
        captured = (("odd", "1"),) if query == "odd" else ()
        message = b"|".join([*(p.encode() for p in path), query.encode(), content_type.encode(), body])
        return RequestMessage(message, Render(pretty=query == "pretty"), captured)

    def response(self, message: bytes, render: Render) -> ResponseBody:
        if message == b"unprintable":
            raise EncodeError("not an Out")
        if self.gives_raw:
            return ResponseBody("text/csv", message)
        return ResponseBody(
            "application/json", json.dumps(json.loads(message), indent=1).encode() if render.pretty else message
        )


class JoiningApi(StubApi):
    """All methods join; pkg.Raw is HttpBody."""

    def method(self, **choices: Any) -> JoiningMethod:  # type: ignore[override]  # the arguments do not matter here
        return JoiningMethod(choices["input_type"] == "pkg.Raw", choices["output_type"] == "pkg.Raw")

    def status_details(self, status: bytes) -> list[bytes]:
        return []


class RestScene:
    """The service, what stands behind it, and the exchanges that ended."""

    def __init__(
        self,
        *policies: Policy,
        streaming: StreamSettings | None = None,
        compression: bool = False,
        idle_timeout_s: float | None = None,
    ) -> None:
        self.upstream = ScriptedStreams()
        self.ended: list[Exchange] = []
        rpcs = tuple({binding.rpc.method: binding.rpc for binding in _BINDINGS}.values())
        api = ApiRoutes("shop", Description(b"", rpcs, _BINDINGS), JoiningApi(), JsonOptions(), "shop-up", 15.0, 4096)
        routes, problems = compile_routes([api])
        assert not problems
        settings = ApiSettings(compression=compression, streaming=streaming or StreamSettings())
        serving = Serving(
            routes,
            {"shop-up": self.upstream},
            {"shop": settings},
            max_body_bytes=LIMIT,
            stream_idle_timeout_s=idle_timeout_s,
        )
        self.service = front(
            lambda: serving, Pipeline(policies, observers=[self.ended.append]), lambda: 100.0, lambda: "new-id"
        )

    def begin(self, request: Head) -> StreamCall:
        call = self.service.begin(request)
        assert not isinstance(call, Answer)
        assert call.streams
        return call

    async def run(self, request: Head, body: BodySource, sink: AnswerSink) -> None:
        call = self.begin(request)
        try:
            await call.run(body, sink)
        finally:
            call.sent(0)

    async def ask(self, request: Head, *pieces: bytes) -> Sink:
        """The whole way, settled."""
        await self.run(request, Pieces(*pieces), sink := Sink())
        return sink

    @property
    def sent(self) -> list[bytes]:
        """The messages the service got."""
        return [message for stream in self.upstream.streams for message in stream.sent]


def get(path: str, query: str = "", **headers: str) -> Head:
    return head("GET", path, query, **headers)


def post(path: str, query: str = "", **headers: str) -> Head:
    headers.setdefault("content_type", "application/json")
    return head("POST", path, query, **headers)


def text(sink: Sink) -> str:
    """What was written."""
    return b"".join(sink.written).decode()


def field(sink: Sink, name: str) -> str | None:
    """A header field of the answer."""
    return next((value.decode() for key, value in sink.headers if key == name.encode()), None)

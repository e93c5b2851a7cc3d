"""A REST service with a stub codec and a scripted upstream, for the tests of what stands between HTTP and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from edge.app.dialects import front
from edge.exchange import Exchange
from edge.ingress.service import Answer, Call, Head, Header, StreamCall, answer_to
from edge.ingress.serving import ApiSettings, Serving
from edge.outcome import Refusal
from edge.pipeline import Pipeline, Policy
from edge.routes import compile_routes
from edge.upstream.call import Done, MessageStream, Running, UnaryReply, UnaryRequest
from edge.wire.codec import EncodeError, Render, RequestMessage, ResponseBody
from tests.stub_api import StubApi, api


class ScriptedMethod:
    """A codec that joins what it got, or raises what the test wants."""

    fails: Exception | None = None
    cannot_print = False
    takes_raw = gives_raw = False
    content_type = "application/json"

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        if self.fails is not None:
            raise self.fails
        captured = (("odd", "1"),) if "odd" in query else ()
        return RequestMessage(b"|".join([*(p.encode() for p in path), query.encode(), body]), Render(), captured)

    def response(self, message: bytes, render: Render) -> ResponseBody:
        if self.cannot_print:
            raise EncodeError("not a Book")
        return ResponseBody(self.content_type, b'"' + message + b'"')


class ScriptedApi(StubApi):
    """Gives every binding the same scripted codec."""

    def __init__(self) -> None:
        super().__init__()
        self.codec = ScriptedMethod()

    def method(self, **_: Any) -> ScriptedMethod:  # type: ignore[override]  # the arguments do not matter here
        return self.codec


@dataclass
class ScriptedUpstream:
    """Answers with `reply`; keeps what it was asked. `hang` waits for ever."""

    reply: UnaryReply | Refusal = field(default_factory=lambda: UnaryReply(0, b"yes"))
    hang: bool = False
    cancelled: int = 0
    asked: list[UnaryRequest] = field(default_factory=list)

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        self.asked.append(request)
        request.address, request.upstream_s = "192.0.2.9:50051", 0.25
        if not self.hang:
            asyncio.get_running_loop().call_soon(done, self.reply)
        return self

    def cancel(self) -> None:
        self.cancelled += 1

    async def open_stream(self, *_: Any, **__: Any) -> MessageStream:
        raise AssertionError("no stream is expected here")


class Scene:
    """The service, what stands behind it, and the exchanges that ended."""

    def __init__(
        self,
        *policies: Policy,
        loading: tuple[str, ...] = (),
        trusted: tuple[IPv4Network | IPv6Network, ...] = (),
        documents: Mapping[str, bytes] | None = None,
        settings: ApiSettings | None = None,
    ) -> None:
        self.upstream = ScriptedUpstream()
        self.api = ScriptedApi()
        self.ended: list[Exchange] = []
        routes, problems = compile_routes([api("GET /v1/a/{b}", "POST /v1/a", name="shop", codec=self.api)])
        assert not problems
        self.serving = serving = Serving(
            routes,
            {"shop-up": self.upstream},
            {"shop": settings or ApiSettings()},
            loading,
            trusted,
            max_body_bytes=1000,
            documents=lambda: documents or {},
        )
        self.service = front(
            lambda: serving, Pipeline(policies, observers=[self.ended.append]), lambda: 100.0, lambda: "new-id"
        )

    def begin(self, request: Head) -> Call | StreamCall | Answer:
        return self.service.begin(request)

    async def ask(self, request: Head, body: bytes = b"") -> Answer:
        """The whole way, settled."""
        call = self.begin(request)
        if isinstance(call, Answer):
            return call
        assert not call.streams
        answer = await answer_to(call, body)
        call.sent(len(answer.body))
        return answer

    @property
    def metadata(self) -> list[Header]:
        """What the service was told."""
        return list(self.upstream.asked[-1].metadata)


def head(method: str = "GET", path: str = "/v1/a/x", query: str = "", **headers: str) -> Head:
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Head(method, path, query, "1.1", fields, "192.0.2.1", secure=False, started=99.0)

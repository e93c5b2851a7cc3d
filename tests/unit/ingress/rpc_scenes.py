"""The RPC dialects with a scripted upstream, a codec that shows what passed it, and HTTP by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edge.app.dialects import front
from edge.core.grpc_frame import encode_frame
from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.exchange import Exchange
from edge.ingress.service import Answer, BodyBroken, Call, Head, Header, StreamCall, answer_to
from edge.ingress.serving import ApiSettings, Serving
from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline, Policy
from edge.routes import ApiRoutes, compile_routes
from edge.upstream.call import Done, MessageStream, Running, UnaryReply, UnaryRequest
from edge.wire.codec import BindingError, EncodeError, JsonOptions, Render, RequestMessage, ResponseBody, Source
from tests.stub_api import StubApi

LIMIT = 1000
_IO = ("pkg.In", "pkg.Out")
RPCS = (
    Rpc("pkg.Svc", "Unary", *_IO),
    Rpc("pkg.Svc", "Safe", *_IO, idempotent=True, side_effect_free=True),
    Rpc("pkg.Svc", "Up", *_IO, client_streaming=True),
    Rpc("pkg.Svc", "Down", *_IO, server_streaming=True),
    Rpc("pkg.Svc", "Both", *_IO, client_streaming=True, server_streaming=True),
    Rpc("pkg.Svc", "Bound", *_IO),
)


class ShowingMethod:
    """JSON `x` becomes the message `<x`, a message `x` becomes the JSON `x>`."""

    takes_raw = gives_raw = False

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        if body == b"misfit":
            raise BindingError(Source.BODY, "a.b", "is not a number")
        return RequestMessage(b"<" + body, Render())

    def response(self, message: bytes, render: Render) -> ResponseBody:
        if message == b"unprintable":
            raise EncodeError("not an Out")
        return ResponseBody("application/json", message + b">")


class ShowingApi(StubApi):
    """All methods show."""

    def method(self, **choices: Any) -> ShowingMethod:  # type: ignore[override]  # the arguments do not matter here
        self.compiled.append(choices)
        return ShowingMethod()

    def status_details(self, status: bytes) -> list[bytes]:
        return [b'{"@type":"type.googleapis.com/a.B","x":1}']


class ScriptedStream:
    """
    `MessageStream`: keeps what it is sent; once the client has ended (or at once, `eager`), it answers and settles.

    `quiet_s` passes before its head, `pauses_s` before each answer and the end. Answers come one by one unless `at_once`.
    """

    def __init__(self, upstream: ScriptedStreams) -> None:
        self._upstream = upstream
        self.answers = list(upstream.answers)
        self._ended = asyncio.Event()
        if upstream.eager:
            self._ended.set()
        self.sent: list[bytes] = []
        self.cancelled = False
        self.outcome: UnaryReply | Refusal | None = None

    async def send(self, message: bytes, *, end: bool = False) -> None:
        self.sent.append(message)

    async def end(self) -> None:
        self._ended.set()

    async def head(self) -> Sequence[Header] | None:
        await self._ended.wait()
        while self._upstream.quiet_s > 0 and not self.cancelled:  # in steps: who listens may break off and listen again
            await asyncio.sleep(0.5)
            self._upstream.quiet_s -= 0.5
        return None if self.cancelled else self._upstream.headers

    async def receive(self) -> bytes | None:
        await self._ended.wait()
        if self._upstream.pauses_s:
            await self._pause(self._upstream.pauses_s.pop(0))
        if self.answers and not self.cancelled:
            return self.answers.pop(0)
        self.outcome = self.outcome or self._upstream.outcome
        return None

    def take(self, count: int, size_bytes: int) -> list[bytes]:
        taken: list[bytes] = []
        while self._upstream.at_once and self.answers and len(taken) < count and size_bytes > 0:
            taken.append(self.answers.pop(0))
            size_bytes -= len(taken[-1])
        return taken

    async def _pause(self, pause_s: float) -> None:
        """Or until the call is over."""
        while pause_s > 0 and not self.cancelled:
            await asyncio.sleep(0.5)
            pause_s -= 0.5

    def cancel(self) -> None:
        if self.outcome is None:
            self.outcome = Refusal(Fault.CANCELLED)
            self.cancelled = True
        self._ended.set()


@dataclass
class ScriptedStreams:
    """Both kinds of call; keeps what was asked."""

    reply: UnaryReply | Refusal = field(default_factory=lambda: UnaryReply(0, b"yes"))
    headers: Sequence[Header] | None = ()
    answers: Sequence[bytes] = ()
    outcome: UnaryReply | Refusal = field(default_factory=lambda: UnaryReply(0, None))
    eager: bool = False
    at_once: bool = False
    quiet_s: float = 0.0
    pauses_s: list[float] = field(default_factory=list)
    asked: list[UnaryRequest] = field(default_factory=list)
    streams: list[ScriptedStream] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    metadata: list[Sequence[Header]] = field(default_factory=list)

    def unary(self, request: UnaryRequest, done: Done) -> Running:
        self.asked.append(request)
        done(self.reply)
        return self

    def cancel(self) -> None:
        raise AssertionError("it has answered")

    async def open_stream(
        self, path: bytes, metadata: Sequence[Header] = (), deadline: float | None = None, **_: Any
    ) -> MessageStream:
        self.deadlines.append(deadline)
        self.metadata.append(metadata)
        self.streams.append(stream := ScriptedStream(self))
        return stream


class Pieces:
    """`BodySource` of given pieces; then it ends, or breaks."""

    def __init__(self, *pieces: bytes, broken: Refusal | None = None) -> None:
        self._pieces = list(pieces)
        self._broken = broken

    async def read(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self._broken is not None:
            raise BodyBroken(self._broken)
        return b""


class Sink:
    """`AnswerSink` that remembers. `ended` is None until then, `aborted` afterwards."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Sequence[Header] = ()
        self.written: list[bytes] = []
        self.trailers: Sequence[Header] | None = None
        self.aborted = False

    def start(self, status: int, headers: Sequence[Header]) -> None:
        assert not self.status, "started twice"
        self.status, self.headers = status, headers

    async def write(self, data: bytes) -> None:
        assert self.status
        assert self.trailers is None
        self.written.append(data)

    def end(self, trailers: Sequence[Header] = ()) -> None:
        assert self.status
        assert self.trailers is None
        self.trailers = trailers

    def abort(self) -> None:
        self.aborted = True

    def answer(self) -> Answer:
        """As if it had come whole."""
        assert self.trailers is not None
        return Answer(self.status, self.headers, b"".join(self.written), trailers=self.trailers)


class RpcScene:
    """The service, what stands behind it, and the exchanges that ended."""

    def __init__(self, *policies: Policy, loading: tuple[str, ...] = ()) -> None:
        self.upstream = ScriptedStreams()
        self.api = ShowingApi()
        self.ended: list[Exchange] = []
        binding = HttpBinding(RPCS[-1], "POST", RPCS[-1].path, "*")
        description = Description(b"", RPCS, (binding,))
        api = ApiRoutes("shop", description, self.api, JsonOptions(), "shop-up", 15.0, 4096)
        routes, problems = compile_routes([api])
        assert not problems
        self.serving = Serving(
            routes, {"shop-up": self.upstream}, {"shop": ApiSettings()}, loading, max_body_bytes=LIMIT
        )
        self.service = front(
            lambda: self.serving, Pipeline(policies, observers=[self.ended.append]), lambda: 100.0, lambda: "new-id"
        )

    def compression(self, *, on: bool) -> None:
        """Whether the API compresses its answers."""
        self.serving = replace(self.serving, apis={"shop": ApiSettings(compression=on)})

    def begin(self, request: Head) -> Call | StreamCall | Answer:
        return self.service.begin(request)

    async def ask(self, request: Head, *body: bytes) -> Answer:
        """The whole way, settled; streams too."""
        call = self.begin(request)
        if isinstance(call, Answer):
            return call
        if call.streams:
            await call.run(Pieces(*body), sink := Sink())
            answer = sink.answer()
        elif len(whole := b"".join(body)) > call.max_body_bytes:
            answer = call.abandon(Refusal(Fault.BODY_TOO_LARGE))
        else:
            answer = await answer_to(call, whole)
        call.sent(len(answer.body))
        return answer

    @property
    def sent(self) -> list[bytes]:
        """The messages the service got."""
        return [request.message for request in self.upstream.asked] + [m for s in self.upstream.streams for m in s.sent]


def head(
    method: str = "POST", path: str = "/pkg.Svc/Unary", query: str = "", *, version: str = "2", **headers: str
) -> Head:
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Head(method, path, query, version, fields, "192.0.2.1", secure=False, started=99.0)


def frames(*messages: bytes) -> bytes:
    """Messages, framed."""
    return b"".join(encode_frame(message) for message in messages)


def fields(headers: Sequence[Header]) -> dict[str, str]:
    """Header fields by name, but for the request's id."""
    return {name.decode(): value.decode() for name, value in headers if name != b"x-request-id"}

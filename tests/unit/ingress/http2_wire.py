"""An HTTP/2 connection under test: our client session on one end, in memory, and a service that remembers on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from edge.core.glitches import GlitchBudget
from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2 import Http2Connection
from edge.ingress.http2_limits import session_settings
from edge.ingress.service import Answer, Answered, AnswerSink, BodySource, Call, Head, Header, StreamCall
from edge.outcome import Refusal
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import (
    ConnectionFailed,
    DataReceived,
    H2Event,
    H2Session,
    HeadersReceived,
    Role,
    SessionSettings,
    StreamReset,
    TrailersReceived,
)
from tests.unit.ingress.doubles import FakeTransport, SlowAnswer, turns

_GOAWAY = 0x7
T = TypeVar("T")
Streaming = Callable[["Streamed", BodySource, AnswerSink], Awaitable[None]]


def request(
    method: str = "GET", path: str = "/a?b", *fields: Header, authority: str | None = "a.example"
) -> list[Header]:
    """A request's header list."""
    head = [(b":method", method.encode()), (b":scheme", b"https"), (b":path", path.encode())]
    if authority is not None:
        head.append((b":authority", authority.encode()))
    return [*head, *fields]


@dataclass
class Gathered:
    """A unary call; `events` is its life in order."""

    service: Service2
    head: Head
    events: list[str] = field(default_factory=list)
    body: bytes = b""
    slow: SlowAnswer | None = None
    streams: Literal[False] = False

    @property
    def max_body_bytes(self) -> int:
        return self.service.max_body_bytes

    def finish(self, body: bytes, answered: Answered) -> None:
        self.body = body
        self.events.append("finish")
        self.slow = SlowAnswer(self.service.finish(self.head, body), answered, self.events)

    def cancel(self) -> None:
        assert self.slow is not None
        self.slow.cancel()

    def abandon(self, refusal: Refusal) -> Answer:
        self.events.append(f"abandon {refusal.fault.name}")
        return Answer(refusal.http_status, (), refusal.fault.name.encode())

    def sent(self, response_bytes: int) -> None:
        self.events.append(f"sent {response_bytes}")


@dataclass
class Streamed:
    """A streaming call; `events` is its life in order."""

    service: Service2
    head: Head
    streaming: Streaming
    max_body_bytes: int | None = None
    events: list[str] = field(default_factory=list)
    streams: Literal[True] = True

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        self.events.append("run")
        try:
            await self.streaming(self, body, answer)
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise

    def sent(self, response_bytes: int) -> None:
        self.events.append(f"sent {response_bytes}")


async def _echo(head: Head, body: bytes) -> Answer:
    return Answer(200, (), f"{head.method} {head.path}?{head.query} ".encode() + body)


@dataclass
class Service2:
    """Unary calls that echo, unless told otherwise; what was begun and refused is kept."""

    finish: Callable[[Head, bytes], Awaitable[Answer]] = _echo
    streaming: Streaming | None = None
    answer: Answer | None = None
    max_body_bytes: int = 1000
    max_stream_bytes: int | None = None
    gathered: list[Gathered] = field(default_factory=list)
    streamed: list[Streamed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    heads: list[Head | None] = field(default_factory=list)

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        self.heads.append(head)
        if self.answer is not None:
            return self.answer
        if self.streaming is not None:
            stream = Streamed(self, head, self.streaming, self.max_stream_bytes)
            self.streamed.append(stream)
            return stream
        call = Gathered(self, head)
        self.gathered.append(call)
        return call

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        self.heads.append(head)
        self.refusals.append(refusal)
        return Answer(refusal.http_status, (), refusal.fault.name.encode(), close=True)


def small_session(limits: Http1Limits, budget: GlitchBudget) -> H2Session:
    """As in production."""
    return PortableH2Session(Role.SERVER, session_settings(limits), budget)


@dataclass
class Reply:
    """What a client has seen of one stream."""

    head: dict[bytes, bytes] = field(default_factory=dict)
    interim: list[bytes] = field(default_factory=list)
    body: bytes = b""
    trailers: list[Header] = field(default_factory=list)
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.head.get(b":status", b"0"))


class Wire2:
    """A connection under test. The client acknowledges what it gets unless `reading` is false."""

    def __init__(
        self,
        service: Service2 | None = None,
        limits: Http1Limits | None = None,
        connections: Connections | None = None,
        client: SessionSettings | None = None,
        *,
        reading: bool = True,
    ) -> None:
        self.service = service or Service2()
        self.connections = Connections(ConnectionSlots(100)) if connections is None else connections
        loop = asyncio.get_running_loop()
        self.protocol = Http2Connection(self.service, limits or Http1Limits(), self.connections, loop, small_session)
        self.transport = FakeTransport(self.protocol, tls=True)
        self.client = PortableH2Session(Role.CLIENT, client)
        self.reading = reading
        self.replies: dict[int, Reply] = {}
        self.events: list[H2Event] = []
        self._read = 0
        self.protocol.connection_made(self.transport)

    async def turn(self, count: int = 4) -> None:
        """Carry bytes both ways until both are silent."""
        for _ in range(count):
            up = self.client.take()
            if up:
                await self.send(up)
            await turns(3)
            down = self.transport.out[self._read :]
            self._read += len(down)
            for event in self.client.receive(down):
                self._note(event)

    async def send(self, data: bytes) -> None:
        """Raw bytes from the client."""
        if not self.transport.lost:
            self.protocol.data_received(data)

    def ask(self, headers: Sequence[Header] | None = None, body: bytes | None = None) -> int:
        """Open a stream; its id. A body of None ends it with the head."""
        stream = self.client.open(headers or request(), end=body is None)
        if body is not None:
            assert self.client.send_data(stream, body, end=True) == len(body)
        self.replies[stream] = Reply()
        return stream

    async def exchange(self, headers: Sequence[Header] | None = None, body: bytes | None = None) -> Reply:
        """One request, and what came of it by now."""
        stream = self.ask(headers, body)
        await self.turn()
        return self.replies[stream]

    def _note(self, event: H2Event) -> None:
        self.events.append(event)
        if not isinstance(event, HeadersReceived | DataReceived | TrailersReceived | StreamReset):
            return
        reply = self.replies.setdefault(event.stream, Reply())
        if isinstance(event, HeadersReceived):
            if event.interim:
                reply.interim.append(dict(event.headers)[b":status"])
            else:
                reply.head, reply.ended = dict(event.headers), event.end
        elif isinstance(event, DataReceived):
            reply.body += event.data
            reply.ended = event.end
            if self.reading:
                self.client.acknowledge(event.stream, event.flow_bytes)
        elif isinstance(event, TrailersReceived):
            reply.trailers, reply.ended = list(event.headers), True
        else:
            reply.reset = event.code

    def of(self, kind: type[T]) -> list[T]:
        """The events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def frames(self) -> list[tuple[int, int, bytes]]:
        """Kind, stream and payload of every frame the server wrote."""
        out, found = self.transport.out, []
        while len(out) >= 9:
            size = int.from_bytes(out[:3], "big")
            found.append((out[3], int.from_bytes(out[5:9], "big"), out[9 : 9 + size]))
            out = out[9 + size :]
        return found

    @property
    def goaways(self) -> list[tuple[int, int]]:
        """Last stream and code of each GOAWAY."""
        payloads = [payload for kind, _, payload in self.frames() if kind == _GOAWAY]
        return [(int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")) for payload in payloads]

    @property
    def failures(self) -> list[ConnectionFailed]:
        """What the client holds against the server."""
        return self.of(ConnectionFailed)

    async def hang_up(self) -> None:
        """The client goes away, and no other is there."""
        await self.hang_up_alone()
        assert len(self.connections) == 0

    async def hang_up_alone(self) -> None:
        """The client goes away, the last one or not."""
        self.transport.lose()
        await turns()

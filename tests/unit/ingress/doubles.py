"""A transport without a socket, a loop without waiting, and a service that remembers what it was told."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1 import Http1Connection
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import Answer, Answered, AnswerSink, BodyBroken, BodySource, Call, Head, StreamCall
from edge.outcome import Refusal

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, moves its loop's clock."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing left to happen: the test waits for ever")
        if timeout > 0:
            self.loop.now += timeout
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Time passes when nothing else is left to do."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self.now = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in virtual time; no task may be left."""

    async def checked() -> T:
        result = await scenario
        await turns()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"
        return result

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(checked())


@contextmanager
def no_garbage(*kinds: type) -> Iterator[None]:
    """What happens inside leaves none of these for the garbage collector: reference counts alone must free it."""
    gc.collect()
    gc.disable()
    try:
        yield
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(each).__name__ for each in gc.garbage if isinstance(each, kinds)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not left, f"left for the collector: {left}"


async def turns(count: int = 10) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


class FakeTransport(asyncio.Transport):
    """Keeps what is written. While `stuck`, nothing leaves and the buffer grows, with asyncio's water marks."""

    def __init__(self, protocol: asyncio.Protocol, *, tls: bool = False) -> None:
        super().__init__({"peername": ("192.0.2.1", 4711), "sslcontext": object() if tls else None})
        self.protocol = protocol
        self.tls = tls
        self.out = b""
        self.stuck = False
        self.unsent = 0
        self.closed = self.lost = self.eof = self.reading_paused = self.aborted = False
        self.pauses = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.eof
        if self.lost:  # as real transports do until connection_lost was called
            return
        self.out += bytes(data)
        if self.stuck:
            self.unsent += len(data)
            if self.unsent > 65536:
                self.protocol.pause_writing()

    def take(self, size: int) -> None:
        """The client reads some of what is stuck."""
        self.unsent -= size
        if self.unsent <= 16384:
            self.protocol.resume_writing()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return not self.tls

    def write_eof(self) -> None:
        self.eof = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True
        if not self.unsent:
            self.lose()

    def abort(self) -> None:
        self.closed = self.aborted = True
        self.lose()

    def lose(self) -> None:
        """The connection is gone."""
        if not self.lost:
            self.lost = self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.reading_paused = True
        self.pauses += 1

    def resume_reading(self) -> None:
        self.reading_paused = False


@dataclass
class Recorder:
    """A service whose answers are given by path, and that notes every promise kept to it."""

    begin_with: Callable[[Head], Call | StreamCall | Answer] | None = None
    finish_with: Callable[[Head, bytes], Awaitable[Answer]] | None = None
    stream_with: Callable[[BodySource, AnswerSink], Awaitable[None]] | None = None
    max_body_bytes: int = 1000
    heads: list[Head] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    streams: list[RecordedStream] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    refused_heads: list[Head | None] = field(default_factory=list)

    def begin(self, head: Head) -> Call | StreamCall | Answer:
        self.heads.append(head)
        if self.begin_with is not None:
            return self.begin_with(head)
        if self.stream_with is not None:
            stream = RecordedStream(self.stream_with)
            self.streams.append(stream)
            return stream
        call = RecordedCall(self, head)
        self.calls.append(call)
        return call

    def refuse(self, head: Head | None, refusal: Refusal) -> Answer:
        self.refused_heads.append(head)
        self.refusals.append(refusal)
        return Answer(refusal.http_status, (), refusal.fault.name.encode())


class SlowAnswer:
    """A call that takes its time, as a task; its cancellation is told in `events`."""

    def __init__(self, answer: Awaitable[Answer], answered: Answered, events: list[str]) -> None:
        self._stepped = False
        self._task = asyncio.get_running_loop().create_task(self._run(answer, answered, events))

    def cancel(self) -> None:
        if self._stepped:
            self._task.cancel()
        else:
            asyncio.get_running_loop().call_soon(self._task.cancel)

    async def _run(self, answer: Awaitable[Answer], answered: Answered, events: list[str]) -> None:
        self._stepped = True
        result: Answer | None = None
        try:
            result = await answer
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        finally:
            answered(result)


@dataclass
class RecordedCall:
    """`events` is the call's life in order."""

    service: Recorder
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
        if self.service.finish_with is not None:
            self.slow = SlowAnswer(self.service.finish_with(self.head, body), answered, self.events)
        else:
            answered(Answer(200, (), f"{self.head.method} {self.head.path}?{self.head.query} ".encode() + body))

    def cancel(self) -> None:
        assert self.slow is not None
        self.slow.cancel()

    def abandon(self, refusal: Refusal) -> Answer:
        self.events.append(f"abandon {refusal.fault.name}")
        return Answer(refusal.http_status, (), refusal.fault.name.encode())

    def sent(self, response_bytes: int) -> None:
        self.events.append(f"sent {response_bytes}")


@dataclass
class RecordedStream:
    """A streaming call that does what it is told; `events` is its life in order."""

    does: Callable[[BodySource, AnswerSink], Awaitable[None]]
    max_body_bytes: int | None = None
    events: list[str] = field(default_factory=list)
    streams: Literal[True] = True

    async def run(self, body: BodySource, answer: AnswerSink) -> None:
        self.events.append("run")
        try:
            await self.does(body, answer)
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        except BodyBroken as broken:
            self.events.append(f"broken {broken.refusal.fault.name}")
            answer.start(broken.refusal.http_status, ())
            answer.end()

    def sent(self, response_bytes: int) -> None:
        self.events.append(f"sent {response_bytes}")


class Wire:
    """A connection under test."""

    def __init__(
        self,
        service: Recorder | None = None,
        limits: Http1Limits | None = None,
        connections: Connections | None = None,
        *,
        tls: bool = False,
        stuck: bool = False,
    ) -> None:
        self.service = service or Recorder()
        self.connections = Connections(ConnectionSlots(100)) if connections is None else connections
        loop = asyncio.get_running_loop()
        self.protocol = Http1Connection(self.service, limits or Http1Limits(), self.connections, loop)
        self.transport = FakeTransport(self.protocol, tls=tls)
        self.transport.stuck = stuck
        self.protocol.connection_made(self.transport)

    async def send(self, *pieces: bytes) -> Wire:
        """The client sends; the loop turns after each piece."""
        for piece in pieces:
            if not self.transport.lost:
                self.protocol.data_received(piece)
            await turns(4)
        return self

    async def hang_up(self) -> None:
        """The client goes away."""
        self.transport.lose()
        await turns()

    @property
    def out(self) -> bytes:
        """What was answered, without Date."""
        return without_date(self.transport.out)


def without_date(answer: bytes) -> bytes:
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"date: "))

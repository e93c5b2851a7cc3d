"""One streaming call from its admission to its settled end, whatever the dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from edge.exchange import Exchange
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Header
from edge.ingress.stream_call import Extra, StreamCall
from edge.outcome import Fault, Refusal
from edge.pipeline import Admission
from edge.upstream.call import UnaryReply
from tests.unit.ingress.doubles import run as in_virtual_time
from tests.unit.ingress.doubles import turns
from tests.unit.ingress.rest_scenes import RestScene, get, post, text
from tests.unit.ingress.rpc_scenes import Pieces, Sink


class Permit:
    """A policy that takes one permit and gives it back."""

    name = "permit"

    def __init__(self) -> None:
        self.held = 0

    def admit(self, x: Exchange) -> Admission:
        self.held += 1
        return self._give_back

    def _give_back(self, x: Exchange) -> None:
        self.held -= 1


class Hanging:
    """A body that never comes."""

    async def read(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError


class Stuck(Sink):
    """A client that takes the first piece and no more."""

    async def write(self, data: bytes) -> None:
        await super().write(data)
        await asyncio.Event().wait()


async def cancelled(scene: RestScene, body: BodySource, sink: AnswerSink) -> None:
    call = asyncio.create_task(scene.run(post("/both"), body, sink))
    await turns()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize(("body", "sink"), [(Hanging, Sink), (lambda: Pieces(b"[1]"), Stuck)])
async def test_a_client_that_goes_away_resets_the_stream(
    body: Callable[[], BodySource], sink: Callable[[], Sink]
) -> None:
    """S6: whether it is listened to or talked to; what was held is given back."""
    permit = Permit()
    scene = RestScene(permit)
    scene.upstream.answers = (b"1", b"2")
    await cancelled(scene, body(), sink())
    assert scene.upstream.streams[0].cancelled
    assert permit.held == 0
    (x,) = scene.ended
    assert (x.status, x.grpc_code) == (499, 1)
    assert x.refusal is not None
    assert x.refusal.fault is Fault.CANCELLED


async def test_a_client_that_goes_away_at_the_very_end() -> None:
    """The service has answered well; the client did not hear it."""

    class StuckAtEnd(Sink):
        async def write(self, data: bytes) -> None:
            if data == b"]":
                await asyncio.Event().wait()
            await super().write(data)

    scene = RestScene()
    scene.upstream.answers = (b"1",)
    await cancelled(scene, Pieces(b"[1]"), StuckAtEnd())
    assert (scene.ended[0].status, scene.ended[0].grpc_code) == (499, 1)


async def test_an_answer_that_cannot_be_ended_is_told_of() -> None:
    """A bug of ours: the log must not say that all went well, or nothing at all."""

    class Unending(Sink):
        def end(self, trailers: Sequence[Header] = ()) -> None:
            raise ZeroDivisionError

    scene = RestScene()
    scene.upstream.answers = (b"1",)
    with pytest.raises(ZeroDivisionError):
        await scene.run(get("/down/a"), Pieces(), Unending())
    (x,) = scene.ended
    assert (x.status, x.grpc_code) == (500, 13)
    assert x.refusal is not None
    assert x.refusal.fault is Fault.INTERNAL


async def test_a_slow_reader_holds_the_service_back() -> None:
    """The next message is not asked for before this one is written."""
    scene = RestScene()
    scene.upstream.answers = tuple(b"%d" % number for number in range(100))
    call = asyncio.create_task(scene.run(get("/down/a"), Pieces(), sink := Stuck()))
    await turns(50)
    assert sink.written == [b"[0"]
    assert len(scene.upstream.streams[0].answers) == 99
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize("up", [True, False])
async def test_a_burst_of_messages_leaves_others_their_turns(up: bool) -> None:
    """Tiny ones that are all there at once never wait for anything: without a pause they would hold up every other call."""
    scene = RestScene()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    clock = asyncio.create_task(tick())
    if not up:
        scene.upstream.answers = (b"1",) * 10_000
    await scene.run(post("/both"), Pieces(b"[" + b"1," * 9_999 * up + b"1]"), Sink())
    assert len(scene.sent) == (10_000 if up else 1)
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)
    assert ticks > 100


async def test_the_answer_may_end_before_the_body() -> None:
    """Who is still sending is not waited for."""
    scene = RestScene()
    scene.upstream.eager = True
    scene.upstream.answers = (b"1",)
    await scene.run(post("/both"), Hanging(), sink := Sink())
    assert (text(sink), sink.trailers) == ("[1]", [])


async def test_a_bug_in_reading_ends_the_call() -> None:
    """It would wait for ever otherwise: for a service that waits for messages nobody sends."""

    class Broken:
        async def read(self) -> bytes:
            raise ZeroDivisionError

    scene = RestScene()
    await scene.run(post("/up"), Broken(), sink := Sink())
    assert sink.status == 500
    assert scene.upstream.streams[0].cancelled


async def test_a_deadline_of_the_route_is_not_a_streams() -> None:
    """D4; but one of the client's own is."""
    scene = RestScene()
    await scene.ask(get("/down/a"))
    await scene.ask(get("/down/a", grpc_timeout="2S"))
    assert scene.upstream.deadlines == [None, 101.0]


class Speech:
    """A dialect of bytes."""

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        raise AssertionError

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None: ...

    async def message(self, answer: AnswerSink, message: bytes) -> None: ...

    async def finish(self, answer: AnswerSink, outcome: UnaryReply | Refusal) -> int:
        assert isinstance(outcome, Refusal)
        return outcome.http_status


@pytest.mark.parametrize("raises", [True, False])
async def test_what_cannot_be_prepared_never_reaches_the_service(raises: bool) -> None:
    scene = RestScene()
    opening = scene.begin(get("/down/a"))._opening  # type: ignore[attr-defined]  # the shortest way to one

    async def prepare(body: BodySource) -> Extra | Refusal:
        if raises:
            raise BodyBroken(Refusal(Fault.BODY_TOO_LARGE))
        return Refusal(Fault.BODY_TOO_LARGE)

    call = StreamCall(opening, Speech(), prepare=prepare)
    await call.run(Pieces(), Sink())
    call.sent(0)
    assert scene.upstream.streams == []
    assert scene.ended[-1].status == 413


def test_nothing_is_lost_when_silence_is_told() -> None:
    """Listening is broken off to tell of silence; the message that comes meanwhile is still there."""

    async def scenario() -> None:
        scene = RestScene()
        scene.upstream.quiet_s = 31.0
        scene.upstream.answers = (b"1", b"2")
        sink = await scene.ask(get("/down/a", accept="text/event-stream"))
        assert [piece for piece in sink.written if piece] == [b":\n\n"] * 2 + [
            b"id: 1\ndata: 1\n\n",
            b"id: 2\ndata: 2\n\n",
        ]

    in_virtual_time(scenario())

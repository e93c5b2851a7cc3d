"""One streaming call from its admission to its settled end, whatever the dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from edge.exchange import Exchange
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Head, Header
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


@pytest.mark.parametrize(("up", "at_once"), [(True, False), (False, False), (False, True)])
async def test_a_burst_of_messages_leaves_others_their_turns(up: bool, at_once: bool) -> None:
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
        scene.upstream.answers, scene.upstream.at_once = (b"1",) * 10_000, at_once
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
    await scene.ask(replace(get("/down/a", grpc_timeout="2S"), started=1e9))
    assert scene.upstream.deadlines == [None, 1e9 + 2]


class Speech:
    """A dialect of bytes."""

    def messages(self, body: BodySource) -> AsyncIterator[bytes]:
        raise AssertionError

    async def head(self, answer: AnswerSink, headers: Sequence[Header]) -> None: ...

    async def say(self, answer: AnswerSink, messages: Sequence[bytes]) -> None: ...

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


class Slow:
    """A body of pieces, each after a while; then it rests."""

    def __init__(self, *pieces: bytes, pause_s: float) -> None:
        self._pieces = list(pieces)
        self._pause_s = pause_s

    async def read(self) -> bytes:
        if not self._pieces:
            await asyncio.Event().wait()
        await asyncio.sleep(self._pause_s)
        return self._pieces.pop(0)


def timed(scene: RestScene, request: Head, body: BodySource, sink: Sink) -> float:
    """How long a call takes."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await scene.run(replace(request, started=began_s), body, sink)
        return loop.time() - began_s

    return in_virtual_time(scenario())


def fault_of(scene: RestScene) -> Fault:
    (x,) = scene.ended
    assert x.refusal is not None
    return x.refusal.fault


def test_a_stream_on_which_nothing_moves_is_ended() -> None:
    """With its status where nothing was said yet; the service's stream is reset."""
    scene = RestScene(idle_timeout_s=300.0)
    assert timed(scene, post("/both"), Hanging(), sink := Sink()) == 300.0
    assert (sink.status, json.loads(text(sink))["code"]) == (504, 14)
    assert fault_of(scene) is Fault.STREAM_IDLE
    assert scene.upstream.streams[0].cancelled


def test_what_the_client_sends_is_movement() -> None:
    """Every piece, though it be no whole message: a slow upload is not idle."""
    scene = RestScene(idle_timeout_s=300.0)
    assert timed(scene, post("/both"), Slow(b"[1", b"2", b"3,", pause_s=200.0), Sink()) == 900.0
    assert scene.sent == [b"|application/json|123"]


def test_what_the_service_says_is_movement() -> None:
    """Time counts from its last message."""
    scene = RestScene(idle_timeout_s=300.0)
    scene.upstream.answers = (b"1", b"2")
    scene.upstream.pauses_s = [200.0, 200.0, 900.0]
    scene.upstream.eager = True
    sink = Sink()
    assert timed(scene, post("/both", accept="application/x-ndjson"), Hanging(), sink) == 700.0
    *messages, error = text(sink).splitlines()
    assert messages == ["1", "2"]
    assert json.loads(error)["error"]["details"][0]["reason"] == "STREAM_IDLE"


def test_our_own_heartbeats_are_no_movement() -> None:
    """They would keep alive what nobody uses."""
    scene = RestScene(idle_timeout_s=300.0)
    scene.upstream.quiet_s = 1_000.0
    sink = Sink()
    assert timed(scene, get("/down/a", accept="text/event-stream"), Pieces(), sink) == 300.0
    *heartbeats, error = sink.written
    assert set(heartbeats) == {b":\n\n"}
    assert b"STREAM_IDLE" in error


def test_a_reader_that_is_waited_for_is_not_idle() -> None:
    """How slow it may be is the write timeout's to say, which sees each byte it takes."""

    class Pausing(Sink):
        async def write(self, data: bytes) -> None:
            await asyncio.sleep(1000.0)
            await super().write(data)

    scene = RestScene(idle_timeout_s=300.0)
    scene.upstream.answers = (b"1",)
    assert timed(scene, get("/down/a"), Pieces(), sink := Pausing()) == 2000.0
    assert text(sink) == "[1]"


def test_a_stream_may_rest_for_ever_where_the_operator_says_so() -> None:
    scene = RestScene(idle_timeout_s=None)
    scene.upstream.quiet_s = 1_000.0
    assert timed(scene, get("/down/a"), Pieces(), Sink()) == 1_000.0


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_reader_that_stands_still_is_cut_off_soon_after_the_deadline(accept: str) -> None:
    """What policies took is not held until the write timeout, and the log says why the call ended."""
    permit = Permit()
    scene = RestScene(permit)
    scene.upstream.answers = (b"1", b"2")
    sink = Stuck()
    assert timed(scene, get("/down/a", accept=accept, grpc_timeout="5S"), Pieces(), sink) == 6.0
    assert sink.aborted
    assert permit.held == 0
    assert fault_of(scene) is Fault.DEADLINE_EXCEEDED
    assert (scene.ended[0].status, scene.ended[0].grpc_code) == (504, 4)
    assert scene.upstream.streams[0].cancelled


def test_a_body_that_comes_too_late_for_the_deadline_is_told_so() -> None:
    """An answer, where there is room for one."""
    scene = RestScene()
    assert timed(scene, post("/down", grpc_timeout="5S"), Hanging(), sink := Sink()) == 5.0
    assert (sink.status, sink.aborted) == (504, False)
    assert scene.upstream.streams == []

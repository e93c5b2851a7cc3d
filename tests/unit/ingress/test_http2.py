"""One HTTP/2 connection: what streams share, what ends it, and what a client gets away with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hyperframe.frame import (
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import Answer, AnswerSink, BodySource, Head
from edge.wire.portable.header_encoder import HeaderEncoder
from edge.wire.session import CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, REFUSED_STREAM, SessionSettings
from tests.unit.ingress.doubles import run, turns
from tests.unit.ingress.http2_wire import Service2, Streamed, Wire2, request

LAST = 2**31 - 1


async def never(head: Head, body: bytes) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


def test_many_streams_at_once_each_have_their_answer() -> None:
    async def scenario() -> None:
        wire = Wire2()
        streams = [wire.ask(request("POST", f"/{n}"), b"x" * n) for n in range(50)]
        await wire.turn()
        for n, stream in enumerate(streams):
            reply = wire.replies[stream]
            assert (reply.status, reply.body, reply.ended) == (200, b"POST /%d? " % n + b"x" * n, True)
        assert not wire.failures
        await wire.hang_up()

    run(scenario())


def test_streams_past_the_limit_are_refused_and_may_be_retried() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        await wire.turn()
        for _ in range(100):
            wire.ask()
        await wire.turn()
        assert not wire.client.can_open()
        assert len(wire.service.gathered) == 100
        late = HeadersFrame(2001, HeaderEncoder().encode(request()), flags=["END_HEADERS", "END_STREAM"])
        await wire.send(late.serialize())
        assert RstStreamFrame(2001, error_code=REFUSED_STREAM).serialize() in wire.transport.out
        assert len(wire.service.gathered) == 100
        await wire.hang_up()
        assert {call.events[-1] for call in wire.service.gathered} == {"sent 0"}

    run(scenario())


def test_a_reset_stream_counts_until_its_call_is_over() -> None:
    """A client that resets and reopens has no more calls running than one that does not."""

    async def scenario() -> None:
        release = asyncio.Event()

        async def stubborn(head: Head, body: bytes) -> Answer:
            try:
                await asyncio.Event().wait()
            finally:
                await release.wait()
            raise AssertionError

        wire = Wire2(Service2(finish=stubborn))
        await wire.turn()
        for _ in range(2):
            for stream in [wire.ask() for _ in range(30)]:
                await wire.turn(1)
                wire.client.reset(stream, CANCEL)
        await wire.turn()
        assert len(wire.service.gathered) == 60
        more = [wire.ask() for _ in range(50)]
        await wire.turn()
        assert len(wire.service.gathered) == 100
        assert [wire.replies[stream].reset for stream in more].count(REFUSED_STREAM) == 10
        assert all("sent 0" not in call.events for call in wire.service.gathered)
        release.set()
        await turns()
        assert [call.events for call in wire.service.gathered[:60]] == [["finish", "cancelled", "sent 0"]] * 60
        await wire.hang_up()

    run(scenario())


def test_a_client_that_does_not_read_holds_one_answer_per_stream() -> None:
    """While the socket is full nothing more is written, not even heads; everything follows once it reads again."""

    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(50_000))

        roomy = SessionSettings(stream_window_bytes=1 << 20, connection_window_bytes=1 << 24)
        wire = Wire2(Service2(finish=large), client=roomy)
        await wire.turn()
        wire.transport.stuck = True
        streams = [wire.ask() for _ in range(40)]
        await wire.turn()
        assert wire.transport.unsent < 64 * 1024 + 2 * 33 * 1024
        assert wire.service.gathered[-1].events == ["finish"]
        wire.transport.stuck = False
        wire.transport.take(wire.transport.unsent)
        await wire.turn()
        assert [len(wire.replies[stream].body) for stream in streams] == [50_000] * 40
        assert {call.events[-1] for call in wire.service.gathered} == {"sent 50000"}
        await wire.hang_up()

    run(scenario())


def test_streams_share_the_connection_by_turns() -> None:
    """A small answer is not kept waiting until a large one is out."""

    async def scenario() -> None:
        async def sized(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(int(head.path[1:])))

        roomy = SessionSettings(stream_window_bytes=1 << 20, connection_window_bytes=1 << 24)
        wire = Wire2(Service2(finish=sized), client=roomy)
        await wire.turn()
        wire.transport.stuck = True
        large, small = wire.ask(request("GET", "/1000000")), wire.ask(request("GET", "/10"))
        await wire.turn()
        wire.transport.take(wire.transport.unsent)
        await wire.turn()
        assert wire.replies[small].ended
        assert 0 < len(wire.replies[large].body) < 300_000
        await wire.hang_up()

    run(scenario())


def test_a_drain_loses_no_call() -> None:
    """GOAWAY for the future first; what was on its way is served; then the last stream is named and the connection ends."""

    async def scenario() -> None:
        gate = asyncio.Event()

        async def slow(head: Head, body: bytes) -> Answer:
            await gate.wait()
            return Answer(200)

        wire = Wire2(Service2(finish=slow))
        first = wire.ask()
        await wire.turn()
        second = wire.ask()  # crosses with the announcement
        crossing = wire.client.take()
        wire.protocol.drain()
        await wire.send(crossing)
        await wire.turn()
        assert wire.goaways == [(LAST, NO_ERROR), (second, NO_ERROR)]
        assert not wire.transport.closed
        gate.set()
        await wire.turn()
        assert [wire.replies[stream].status for stream in (first, second)] == [200, 200]
        assert wire.transport.closed
        assert len(wire.connections) == 0

    run(scenario())


def test_a_drain_does_not_wait_for_a_client_that_answers_no_ping() -> None:
    async def scenario() -> None:
        wire = Wire2()
        await wire.exchange()
        wire.protocol.drain()
        await asyncio.sleep(1.1)
        assert wire.transport.closed

    run(scenario())


def test_idle_connections_are_closed_after_a_goaway() -> None:
    async def scenario() -> None:
        wire = Wire2(limits=Http1Limits(idle_timeout_s=5))
        await wire.exchange()
        await asyncio.sleep(4.9)
        assert not wire.transport.closed
        await wire.exchange()
        await asyncio.sleep(4.9)
        assert not wire.transport.closed
        await asyncio.sleep(1.2)
        assert wire.transport.closed
        await wire.turn()
        assert wire.goaways == [(3, NO_ERROR)]

    run(scenario())


def test_a_client_without_a_preface_is_held_no_longer_than_a_slow_head() -> None:
    async def scenario() -> None:
        wire = Wire2(limits=Http1Limits(header_timeout_s=2))
        await asyncio.sleep(3.1)
        assert wire.transport.closed

    run(scenario())


def test_a_silent_client_with_open_streams_is_pinged_and_then_cut() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        wire.ask()
        await wire.turn()
        for _ in range(25):  # answers each ping
            await asyncio.sleep(8)
            await wire.turn()
        assert not wire.transport.closed
        await asyncio.sleep(60)  # answers none
        await turns()
        assert wire.transport.lost
        assert wire.service.gathered[0].events == ["finish", "cancelled", "sent 0"]

    run(scenario())


def test_connections_over_the_limit_are_told_to_go_elsewhere() -> None:
    async def scenario() -> None:
        slots = ConnectionSlots(0)
        wire = Wire2(connections=Connections(slots))
        await wire.turn()
        assert wire.goaways == [(0, NO_ERROR)]
        assert wire.transport.closed
        assert slots.used == 0
        assert [refusal.fault.name for refusal in wire.service.refusals] == ["OVERLOADED"]

    run(scenario())


def test_a_hang_up_ends_every_call() -> None:
    async def scenario() -> None:
        async def endless(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            await body.read()

        wire = Wire2(Service2(streaming=endless))
        stream = wire.client.open(request("POST"), end=False)
        await wire.turn()
        assert wire.replies[stream].status == 200
        await wire.hang_up()
        assert wire.service.streamed[0].events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_a_reader_that_takes_nothing_is_cut_off_at_the_write_timeout() -> None:
    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(200_000))

        roomy = SessionSettings(stream_window_bytes=1 << 20, connection_window_bytes=1 << 24)
        wire = Wire2(Service2(finish=large), Http1Limits(write_timeout_s=3), client=roomy)
        await wire.turn()
        wire.transport.stuck = True
        wire.ask()
        await wire.turn()
        await asyncio.sleep(2.9)
        assert not wire.transport.closed
        await asyncio.sleep(0.3)
        assert wire.transport.closed
        await turns()
        assert wire.service.gathered[0].events[:1] == ["finish"]
        assert wire.service.gathered[0].events[-1].startswith("sent ")
        assert len(wire.connections) == 0

    run(scenario())


def test_a_connection_that_failed_is_held_no_longer_than_the_write_timeout() -> None:
    """Whatever the streams that end with it would have it wait for."""

    async def scenario() -> None:
        wire = Wire2(Service2(finish=never), Http1Limits(write_timeout_s=3, idle_timeout_s=60))
        wire.ask()
        await wire.turn()
        wire.transport.stuck = True
        await wire.send(b"\0\0\x01\x06\0\0\0\0\0?")  # a PING of one byte
        await turns()
        await asyncio.sleep(3.1)
        assert wire.transport.lost
        await turns()
        assert len(wire.connections) == 0

    run(scenario())


# Misbehaviour.

BLOCK = HeaderEncoder().encode(request())


def resets(first: int, count: int) -> bytes:
    """Requests, each cancelled at once."""
    pairs = (
        HeadersFrame(stream, BLOCK, flags=["END_HEADERS", "END_STREAM"]).serialize()
        + RstStreamFrame(stream, error_code=CANCEL).serialize()
        for stream in range(first, first + 2 * count, 2)
    )
    return b"".join(pairs)


def test_rapid_reset_ends_the_connection_and_no_call_begins() -> None:
    """In one read: what was opened and reset is not looked at, so the service sees nothing (CVE-2023-44487)."""

    async def scenario() -> None:
        wire = Wire2()
        await wire.turn()
        await wire.send(resets(1, 500))
        await wire.turn()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
        assert wire.transport.closed
        assert wire.service.heads == []
        assert len(wire.connections) == 0

    run(scenario())


def test_a_reset_in_a_later_read_of_the_same_turn_cancels_the_call() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        await wire.turn()
        both = resets(1, 1)
        await wire.send(both[:-13])
        await wire.send(both[-13:])
        await wire.turn()
        assert [call.events for call in wire.service.gathered] == [["finish", "cancelled", "sent 0"]]
        await wire.hang_up()

    run(scenario())


def test_three_quarters_of_the_budget_ask_the_client_to_move_on() -> None:
    async def scenario() -> None:
        wire = Wire2()
        await wire.turn()
        await wire.send(resets(1, 80))
        await wire.turn()
        ((last, code),) = wire.goaways
        assert (149 <= last <= 159, code) == (True, NO_ERROR)  # as soon as the piece of the read that did it is over
        assert wire.transport.closed  # no stream was left to wait for

    run(scenario())


def test_cancelling_what_has_run_for_a_while_is_normal_use() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        await wire.turn()
        for _ in range(10):
            streams = [wire.ask() for _ in range(90)]
            await wire.turn()
            await asyncio.sleep(1.0)
            for stream in streams:
                wire.client.reset(stream, CANCEL)
                await wire.turn(1)
        assert wire.goaways == []
        await wire.hang_up()

    run(scenario())


def headers(stream: int, block: bytes = BLOCK, *flags: str) -> HeadersFrame:
    return HeadersFrame(stream, block, flags=["END_HEADERS", *flags])


ONE_STREAM = {
    "PING": PingFrame(0, b"12345678").serialize(),
    "SETTINGS": SettingsFrame(0, {}).serialize(),
    "empty DATA": DataFrame(1, b"").serialize(),
    "padded empty DATA": DataFrame(1, b"", pad_length=8, flags=["PADDED"]).serialize(),
    "PRIORITY": PriorityFrame(1, depends_on=0, stream_weight=1).serialize(),
    "WINDOW_UPDATE": WindowUpdateFrame(0, window_increment=1).serialize(),
    "WINDOW_UPDATE of a stream": WindowUpdateFrame(1, window_increment=1).serialize(),
    "unknown": b"\0\0\1\xbb\0\0\0\0\0x",
}


@pytest.mark.parametrize("frame", ONE_STREAM.values(), ids=ONE_STREAM)
def test_a_flood_of_frames_that_do_no_work_ends_the_connection(frame: bytes) -> None:
    """Within 1,000 of a kind (CVE-2019-9511 to 9518)."""

    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        await wire.turn()
        await wire.send(headers(1).serialize())
        for _ in range(10):
            await wire.send(frame * 100)
            await wire.turn(1)
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
        assert wire.transport.closed

    run(scenario())


Frames = Callable[[int], list[Frame]]
MADE: dict[str, Frames] = {
    "malformed head": lambda n: [headers(n, HeaderEncoder().encode(request("GET", "x")), "END_STREAM")],
    "depends on itself": lambda n: [
        HeadersFrame(n, BLOCK, depends_on=n, flags=["END_HEADERS", "PRIORITY", "END_STREAM"])
    ],
    "DATA after the end": lambda n: [headers(n, BLOCK, "END_STREAM"), DataFrame(n, b"x")],
    "HEADERS after the end": lambda n: [headers(n, BLOCK, "END_STREAM"), headers(n, BLOCK, "END_STREAM")],
    "window overflow": lambda n: [headers(n), WindowUpdateFrame(n, window_increment=2**31 - 1)],
    "longer than it said": lambda n: [
        headers(n, HeaderEncoder().encode(request("POST", "/", (b"content-length", b"1")))),
        DataFrame(n, b"xx"),
    ],
}


@pytest.mark.parametrize("frames", MADE.values(), ids=MADE)
def test_making_us_reset_costs_as_much_as_resetting(frames: Frames) -> None:
    """MadeYouReset (CVE-2025-8671): whatever makes the server reset, a hundred of it end the connection."""

    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        await wire.turn()
        sent = 0
        while not wire.transport.closed:
            sent += 1
            assert sent <= 101
            await wire.send(b"".join(frame.serialize() for frame in frames(2 * sent - 1)))
            await wire.turn(1)
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM or sent < 80
        assert len(wire.connections) == 0
        assert all(call.events[-1] == "sent 0" for call in wire.service.gathered)

    run(scenario())


def test_an_honest_client_that_is_noisy_is_never_ended() -> None:
    """One oddity per thirty requests, three thousand requests, and no second passes that could forgive any (R13)."""

    async def scenario() -> None:
        wire = Wire2()
        await wire.turn()
        for number in range(110):
            streams = [wire.ask() for _ in range(29)]
            wire.client.reset(wire.ask(), CANCEL)
            await wire.turn(2)
            assert all(wire.replies.pop(stream).ended for stream in streams), number
        assert not wire.transport.closed
        assert wire.goaways == []
        await wire.hang_up()

    run(scenario())


def test_misbehaviour_gives_way_to_others_while_it_is_read() -> None:
    """A read with the whole budget in it takes many turns of the loop, in which another connection is served."""

    async def scenario() -> None:
        connections = Connections(ConnectionSlots(100))
        abuser, honest = Wire2(connections=connections), Wire2(connections=connections)
        await honest.turn()
        await abuser.turn()
        abuser.protocol.data_received(PingFrame(0, b"12345678").serialize() * 1000)
        asked = honest.ask()
        await honest.turn(1)
        assert honest.replies[asked].ended
        assert not abuser.transport.closed
        await turns(60)
        assert abuser.transport.closed
        assert abuser.goaways[-1][1] == ENHANCE_YOUR_CALM
        await honest.hang_up_alone()

    run(scenario())


def test_who_was_ended_for_misbehaviour_has_less_to_spend_next_time() -> None:
    """A quarter in the end, and everything again when he has kept quiet for a while; honest use never notices."""

    async def scenario() -> None:
        connections, sent = Connections(ConnectionSlots(100)), []
        for _ in range(4):
            wire = Wire2(connections=connections)
            await wire.turn()
            count = 0
            while not wire.transport.closed:
                await wire.send(resets(2 * count + 1, 1))
                await wire.turn(1)
                count += 1
            sent.append(count)
        full = 75  # less one at most, for what a client says at its beginning
        assert all(share - 1 <= count <= share for count, share in zip(sent, (full, 38, 19, 19), strict=True)), sent
        wire = Wire2(connections=connections)
        asked = wire.ask()
        await wire.turn()
        assert not wire.replies[asked].ended  # a moment late
        await asyncio.sleep(0.3)
        await wire.turn()
        assert wire.replies[asked].ended
        for _ in range(20):
            for _ in range(9):
                wire.ask()
            wire.client.reset(wire.ask(), CANCEL)
            await wire.turn()
        assert wire.goaways == []
        await wire.hang_up()
        await asyncio.sleep(60)
        assert connections.suspects.limit("192.0.2.1", asyncio.get_running_loop().time()) == 1000

    run(scenario())


def test_answers_nobody_reads_are_given_up_when_there_are_too_many() -> None:
    """The connection that holds most for longest loses them; a reader beside it has its answer."""

    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(1_000_000))

        connections = Connections(ConnectionSlots(100))
        closed = SessionSettings(stream_window_bytes=0)
        idle = Wire2(Service2(finish=large), connections=connections, client=closed)
        reader = Wire2(Service2(finish=large), connections=connections)
        await idle.turn()
        for _ in range(30):
            idle.ask()
        await idle.turn()
        assert connections.backlog.total_bytes == 30_000_000
        await asyncio.sleep(1)
        asked = [reader.ask() for _ in range(9)]
        await reader.turn(60)
        assert all(reader.replies[stream].ended for stream in asked)
        await idle.turn()
        assert {reply.reset for reply in idle.replies.values()} == {ENHANCE_YOUR_CALM}
        assert connections.backlog.total_bytes == 0
        assert {call.events[-1] for call in idle.service.gathered} == {"sent 0"}
        await idle.hang_up_alone()
        await reader.hang_up()

    run(scenario())


def test_streams_that_keep_coming_do_not_put_off_the_end_of_those_that_wait() -> None:
    async def scenario() -> None:
        closed = SessionSettings(stream_window_bytes=0)
        wire = Wire2(Service2(), Http1Limits(write_timeout_s=3), client=closed)
        await wire.turn()
        first = wire.ask()
        for _ in range(40):
            await wire.turn(1)
            await asyncio.sleep(0.1)
            wire.ask()
        await wire.turn(1)
        assert wire.replies[first].reset == CANCEL
        await wire.hang_up()

    run(scenario())

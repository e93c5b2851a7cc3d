"""Streaming calls on an HTTP/1.1 connection: what flows each way, who waits for whom, and how each end looks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1_limits import BODY_BYTES, DISCARD_BYTES, Http1Limits
from edge.ingress.service import AnswerSink, BodyBroken, BodySource, Head, StreamCall
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import RecordedStream, Recorder, Wire, run, turns

GET = b"GET /s HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /s HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"

Does = Callable[[BodySource, AnswerSink], Awaitable[None]]


async def echo(body: BodySource, answer: AnswerSink) -> None:
    """Each piece is answered as it comes."""
    answer.start(200, ())
    while piece := await body.read():
        await answer.write(b"<" + piece + b">")
    answer.end()


async def count(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ((b"x", b"y"),))
    for word in (b"one", b"", b"two"):
        await answer.write(word)
    answer.end(((b"t", b"v"),))


async def gather(body: BodySource, answer: AnswerSink) -> None:
    """The whole body, then a whole answer."""
    pieces = bytearray()
    while piece := await body.read():
        pieces += piece
    answer.start(200, ((b"content-length", b"%d" % len(pieces)),))
    await answer.write(bytes(pieces))
    answer.end()


async def wait(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ())
    await asyncio.Event().wait()


TRANSCRIPTS: list[tuple[str, Does, bytes, bytes, bool]] = [
    ("chunks", count, GET, b"HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", True),
    (
        "trailers for who asked",
        count,
        b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nt: v\r\n\r\n",
        True,
    ),
    (
        "HTTP/1.0 has no chunks: the end is the connection's",
        count,
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: y\r\nconnection: close\r\n\r\nonetwo",
        False,
    ),
    ("HEAD", count, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n", True),
    (
        "close, asked by the client",
        count,
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        False,
    ),
    (
        "a length of the dialect's own",
        gather,
        CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde",
        True,
    ),
    (
        "a length keeps an HTTP/1.0 connection",
        gather,
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nhi",
        True,
    ),
    (
        "100 Continue when the body is asked for",
        gather,
        POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        True,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("does", "sent", "answered", "kept"), [t[1:] for t in TRANSCRIPTS], ids=[t[0] for t in TRANSCRIPTS]
)
def test_transcript(does: Does, sent: bytes, answered: bytes, kept: bool) -> None:
    """The next request is served exactly when the connection is kept."""

    async def scenario() -> None:
        wire = Wire(Recorder(stream_with=does))
        head_end = sent.index(b"\r\n\r\n") + 4
        await wire.send(sent[:head_end], *([sent[head_end:]] if sent[head_end:] else []))
        await turns()
        assert wire.out == answered
        assert wire.transport.closed != kept
        (stream,) = wire.service.streams
        assert len(stream.events) == 2
        assert stream.events[1].startswith("sent ")
        await wire.send(GET)
        assert len(wire.service.streams) == 1 + kept
        await wire.hang_up()
        assert len(wire.connections) == 0

    run(scenario())


def test_both_directions_at_once() -> None:
    """Each message is answered before the next is sent; then the connection ends, as the head said it would."""

    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=echo)).send(CHUNKED)
        head = HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        assert wire.out == head
        await wire.send(b"3\r\nabc\r\n")
        assert wire.out == head + b"5\r\n<abc>\r\n"
        await wire.send(b"1\r\nd\r\n", LAST + GET)
        assert wire.out == head + b"5\r\n<abc>\r\n3\r\n<d>\r\n" + LAST
        assert [stream.events for stream in wire.service.streams] == [["run", "sent 8"]]
        await wire.hang_up()

    run(scenario())


def test_what_is_not_read_is_not_let_in() -> None:
    """Back-pressure: the socket is left alone past the bound, and read again when the call has taken what is held."""

    async def scenario() -> None:
        gate = asyncio.Event()
        got = bytearray()

        async def slow(body: BodySource, answer: AnswerSink) -> None:
            await gate.wait()
            while piece := await body.read():
                got.extend(piece)
            await count(body, answer)

        wire = await Wire(Recorder(stream_with=slow)).send(CHUNKED)
        sent = 0
        while not wire.transport.reading_paused:
            wire.protocol.data_received(b"400\r\n" + bytes(1024) + b"\r\n")
            sent += 1024
        assert BODY_BYTES < sent <= BODY_BYTES + 1024
        gate.set()
        await turns()
        assert not wire.transport.reading_paused
        assert len(got) == sent
        await wire.send(LAST)
        assert wire.out.endswith(LAST)
        await wire.hang_up()

    run(scenario())


def test_a_write_waits_for_a_slow_reader() -> None:
    """The call stands still while the transport is full; so does whoever it relays from."""

    async def scenario() -> None:
        written = 0

        async def pour(body: BodySource, answer: AnswerSink) -> None:
            nonlocal written
            answer.start(200, ())
            for _ in range(100):
                await answer.write(bytes(10_000))
                written += 1
            answer.end()

        wire = await Wire(Recorder(stream_with=pour), stuck=True).send(GET)
        assert written == 6
        wire.transport.take(60_000)
        await turns()
        assert 10 < written < 14
        wire.transport.stuck = False
        wire.transport.take(wire.transport.unsent)
        await turns(200)
        assert written == 100
        assert wire.service.streams[0].events == ["run", "sent 1000000"]
        assert not wire.transport.closed
        await wire.hang_up()

    run(scenario())


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    async def scenario() -> None:
        async def pour(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            while True:
                await answer.write(bytes(10_000))

        wire = await Wire(Recorder(stream_with=pour), Http1Limits(write_timeout_s=30), stuck=True).send(GET)
        await asyncio.sleep(29)
        wire.transport.take(5_000)
        await asyncio.sleep(29)
        assert not wire.transport.lost  # it took something
        await asyncio.sleep(32)
        assert wire.transport.lost
        assert wire.service.streams[0].events[:2] == ["run", "cancelled"]
        assert len(wire.service.streams[0].events) == 3

    run(scenario())


def test_an_answer_cut_short_has_no_last_chunk() -> None:
    """S5: the connection is closed, so that no client takes it for whole."""

    async def scenario() -> None:
        async def cut(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            await answer.write(b"half")
            answer.abort()

        wire = await Wire(Recorder(stream_with=cut)).send(GET)
        assert wire.out == HEAD + b"4\r\nhalf\r\n"
        assert wire.transport.lost
        assert wire.service.streams[0].events == ["run", "sent 4"]

    run(scenario())


def test_an_answer_cut_short_in_http10_is_reset() -> None:
    """There the connection's end is the body's: only a reset says that it is none."""

    async def scenario() -> None:
        async def cut(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            await answer.write(b"half")
            answer.abort()

        wire = await Wire(Recorder(stream_with=cut)).send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.transport.aborted
        assert wire.service.streams[0].events == ["run", "sent 4"]

    run(scenario())


async def _too_short(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ((b"content-length", b"9"),))
    await answer.write(b"half")
    answer.end()


async def _too_long(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ((b"content-length", b"3"),))
    await answer.write(b"half")


async def _never_ends(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ())


async def _crashes(body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ())
    raise ZeroDivisionError


@pytest.mark.parametrize("does", [_too_short, _too_long, _never_ends, _crashes])
def test_what_a_call_leaves_open_is_cut(does: Does) -> None:
    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=does)).send(GET)
        assert not wire.out.endswith(LAST)
        assert wire.transport.lost
        assert wire.service.streams[0].events[-1].startswith("sent")
        assert len(wire.connections) == 0

    run(scenario())


@pytest.mark.parametrize("crash", [True, False])
def test_a_call_that_does_not_answer_is_answered_for(crash: bool) -> None:
    async def scenario() -> None:
        async def nothing(body: BodySource, answer: AnswerSink) -> None:
            if crash:
                raise ZeroDivisionError

        wire = await Wire(Recorder(stream_with=nothing)).send(GET)
        assert wire.out.startswith(b"HTTP/1.1 500 ")
        assert b"connection: close" in wire.out
        await wire.hang_up()
        assert wire.service.streams[0].events[0] == "run"
        assert len(wire.service.streams[0].events) == 2

    run(scenario())


def test_a_client_that_goes_away_cancels_the_call() -> None:
    """S6."""

    async def scenario() -> None:
        for sent in (GET, CHUNKED, CHUNKED + b"3\r\nabc\r\n"):
            wire = await Wire(Recorder(stream_with=wait)).send(sent)
            await wire.hang_up()
            assert wire.service.streams[0].events == ["run", "cancelled", "sent 0"]
            assert len(wire.connections) == 0

    run(scenario())


def test_a_client_that_goes_away_before_the_call_starts() -> None:
    """It is run all the same, and told where it first waits: `run`, then `sent`, whatever happens."""

    async def scenario() -> None:
        wire = Wire(Recorder(stream_with=wait))
        wire.protocol.data_received(GET)
        wire.protocol.connection_lost(None)
        await turns()
        assert wire.service.streams[0].events == ["run", "cancelled", "sent 0"]
        assert len(wire.connections) == 0

    run(scenario())


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (CHUNKED + b"zz\r\n", "MALFORMED_REQUEST"),
        (CHUNKED + b"7d0\r\n" + bytes(2000) + b"\r\n", "BODY_TOO_LARGE"),
        (POST + b"Content-Length: 2000\r\n\r\n", "BODY_TOO_LARGE"),
        (POST + b"Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n", "BODY_TOO_LARGE"),
    ],
)
def test_a_body_that_breaks_off(sent: bytes, fault: str) -> None:
    """The call reads why; the connection ends after its answer, and nothing that follows is taken for a request."""

    async def scenario() -> None:
        service = Recorder(begin_with=lambda head: _limited(service))
        wire = Wire(service)
        await wire.send(sent, GET)
        assert service.streams[0].events[:2] == ["run", f"broken {fault}"]
        assert b"connection: close" in wire.out
        assert b"100 Continue" not in wire.out
        assert len(service.streams) == 1
        assert wire.transport.eof
        await wire.hang_up()
        assert len(service.streams[0].events) == 3

    run(scenario())


def _limited(service: Recorder) -> RecordedStream:
    stream = RecordedStream(gather, max_body_bytes=1000)
    service.streams.append(stream)
    return stream


def test_a_body_that_breaks_off_under_an_answer_ends_the_connection() -> None:
    """Even if the call takes it lightly: where the next request would begin is not known."""

    async def scenario() -> None:
        async def lenient(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            with contextlib.suppress(BodyBroken):
                while await body.read():
                    pass
            answer.end()

        wire = await Wire(Recorder(stream_with=lenient)).send(POST + b"Content-Length: 5\r\n\r\nhe")
        wire.protocol._deafen(wire.protocol._stream, Refusal(Fault.REQUEST_TIMEOUT))  # type: ignore[arg-type]  # it runs
        await wire.send(GET)
        assert wire.out.endswith(LAST)
        assert wire.transport.eof
        assert len(wire.service.streams) == 1
        await wire.hang_up()

    run(scenario())


def test_a_body_that_breaks_off_while_it_is_held_back() -> None:
    """The socket is read again, if only to notice when the client goes away."""

    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=wait)).send(CHUNKED)
        wire.protocol.data_received(b"20000\r\n" + bytes(0x20000) + b"\r\n")
        assert wire.transport.reading_paused
        wire.protocol.data_received(b"zz\r\n" + bytes(100_000))
        assert not wire.transport.reading_paused
        await wire.hang_up()
        assert wire.service.streams[0].events == ["run", "cancelled", "sent 0"]

    run(scenario())


def test_who_reads_on_after_the_end_reads_nothing_of_the_next_request() -> None:
    async def scenario() -> None:
        second = asyncio.Event()
        late: list[asyncio.Task[bytes]] = []

        async def read_late(body: BodySource) -> bytes:
            await second.wait()
            return await body.read()

        async def careless(body: BodySource, answer: AnswerSink) -> None:
            if late:
                second.set()
                await asyncio.wait(late)
            else:
                late.append(asyncio.create_task(read_late(body)))
            await gather(body, answer)

        wire = await Wire(Recorder(stream_with=careless)).send(CHUNKED + LAST)
        await wire.send(CHUNKED + b"6\r\nsecret\r\n" + LAST)
        assert isinstance(late[0].exception(), BodyBroken)
        assert wire.out.endswith(b"secret")
        await wire.hang_up()

    run(scenario())


def test_no_100_continue_comes_after_the_answer_has_begun() -> None:
    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=echo)).send(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert wire.out == HEAD[:-2] + b"connection: close\r\n\r\n"
        await wire.hang_up()

    run(scenario())


def test_a_body_that_rests_too_long() -> None:
    """The time is for each step, not for the whole; and only while we would take what comes."""

    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=gather), Http1Limits(body_timeout_s=30)).send(CHUNKED)
        for _ in range(5):
            await asyncio.sleep(29)
            await wire.send(b"1\r\nx\r\n")
        await asyncio.sleep(29)
        assert wire.service.streams[0].events == ["run"]
        await asyncio.sleep(2)
        assert wire.service.streams[0].events[:2] == ["run", "broken REQUEST_TIMEOUT"]
        assert wire.out.startswith(b"HTTP/1.1 408 ")
        await wire.hang_up()

    run(scenario())


def test_a_body_that_is_bounded_has_one_time_for_all_of_it() -> None:
    """Or a byte now and then would hold a call, and whatever it was admitted with, for days."""

    async def scenario() -> None:
        def bounded(head: Head) -> StreamCall:
            return RecordedStream(gather, max_body_bytes=1000, events=events)

        events: list[str] = []
        wire = await Wire(Recorder(begin_with=bounded), Http1Limits(body_timeout_s=30)).send(CHUNKED)
        for _ in range(3):
            await asyncio.sleep(9)
            await wire.send(b"1\r\na\r\n")
        assert events == ["run"]
        await asyncio.sleep(3.1)
        await turns()
        assert events[:2] == ["run", "broken REQUEST_TIMEOUT"]
        await wire.hang_up()

    run(scenario())


def test_an_answer_that_flows_excuses_a_body_that_rests() -> None:
    """A client that listens in a conversation is not gone."""

    async def scenario() -> None:
        async def tick(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            for _ in range(10):
                await asyncio.sleep(20)
                await answer.write(b"tick")
            while await body.read():
                pass
            answer.end()

        wire = await Wire(Recorder(stream_with=tick), Http1Limits(body_timeout_s=30)).send(CHUNKED)
        await asyncio.sleep(201)
        assert wire.service.streams[0].events == ["run"]
        await wire.send(LAST)
        assert wire.out.endswith(LAST)
        await wire.hang_up()

    run(scenario())


def test_a_call_that_does_not_ask_for_the_body_is_not_waited_for() -> None:
    """Expect: 100-continue: the client's time begins when it is told to send."""

    async def scenario() -> None:
        async def later(body: BodySource, answer: AnswerSink) -> None:
            await asyncio.sleep(100)
            await gather(body, answer)

        wire = Wire(Recorder(stream_with=later), Http1Limits(body_timeout_s=30))
        await wire.send(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        await asyncio.sleep(99)
        assert wire.out == b""
        await asyncio.sleep(2)
        assert wire.out == b"HTTP/1.1 100 Continue\r\n\r\n"
        await wire.send(b"hi")
        assert wire.out.endswith(b"\r\n\r\nhi")
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize(
    ("sent", "rest", "kept"),
    [
        (POST + b"Content-Length: 5\r\n\r\nhe", b"llo", True),
        (CHUNKED + b"2\r\nhe\r\n", b"3\r\nllo\r\n" + LAST, False),
        (CHUNKED + b"2\r\nhe\r\n", b"%x\r\n" % (2 * DISCARD_BYTES) + bytes(2 * DISCARD_BYTES) + b"\r\n" + LAST, False),
        (POST + b"Content-Length: 1000000\r\n\r\nhe", b"llo", False),
        (POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", b"hello", False),
    ],
)
def test_an_answer_before_the_body_is_whole(sent: bytes, rest: bytes, kept: bool) -> None:
    """A small rest is passed over and the connection kept; otherwise it ends, and the head says so. The rest is never a request."""

    async def scenario() -> None:
        wire = await Wire(Recorder(stream_with=count)).send(sent)
        assert wire.out.endswith(LAST)
        assert kept or b"expect" in sent.lower() or b"connection: close" in wire.out
        await wire.send(rest, GET)
        assert len(wire.service.streams) == 1 + kept
        assert len(wire.service.heads) == 1 + kept
        await wire.hang_up()
        assert len(wire.connections) == 0

    run(scenario())


def test_an_early_answer_to_a_slow_reader_ends_the_connection() -> None:
    async def scenario() -> None:
        async def large(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ((b"content-length", b"70000"),))
            writing = asyncio.ensure_future(answer.write(bytes(70_000)))
            await turns(2)
            answer.end()
            writing.cancel()

        wire = await Wire(Recorder(stream_with=large), stuck=True).send(
            POST + b"Content-Length: 5\r\n\r\nhe", b"llo" + GET
        )
        wire.transport.stuck = False
        wire.transport.take(wire.transport.unsent)
        await turns()
        assert wire.transport.eof
        assert len(wire.service.heads) == 1
        await wire.hang_up()

    run(scenario())


def test_requests_behind_a_stream_wait_their_turn() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def gated(body: BodySource, answer: AnswerSink) -> None:
            await gate.wait()
            await echo(body, answer)

        wire = await Wire(Recorder(stream_with=gated)).send(CHUNKED + b"1\r\nx\r\n" + LAST + GET, GET)
        assert len(wire.service.streams) == 1
        gate.set()
        await turns(40)
        assert len(wire.service.streams) == 3
        assert wire.out == HEAD + b"3\r\n<x>\r\n" + LAST + (HEAD + LAST) * 2
        await wire.hang_up()

    run(scenario())


def test_draining() -> None:
    """A stream that ends in time ends well and closes; one that does not is cut."""

    async def scenario() -> None:
        connections = Connections(ConnectionSlots(10))
        gate = asyncio.Event()

        async def gated(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ())
            await gate.wait()
            answer.end()

        ends = await Wire(Recorder(stream_with=gated), connections=connections).send(GET)
        stays = await Wire(Recorder(stream_with=wait), connections=connections).send(GET)
        draining = asyncio.create_task(connections.drain(20))
        await turns()
        gate.set()
        await turns()
        assert ends.out == HEAD + LAST
        assert ends.transport.closed or ends.transport.eof
        await draining
        assert stays.service.streams[0].events == ["run", "cancelled", "sent 0"]
        assert len(connections) == 0

    run(scenario())


def test_a_field_with_a_line_break_never_leaves() -> None:
    async def scenario() -> None:
        async def split(body: BodySource, answer: AnswerSink) -> None:
            answer.start(200, ((b"x", b"a\r\nset-cookie: b"),))

        wire = await Wire(Recorder(stream_with=split)).send(GET)
        assert wire.out.startswith(b"HTTP/1.1 500 ")
        assert b"set-cookie" not in wire.out
        await wire.hang_up()

    run(scenario())


PIECES = [CHUNKED, b"3\r\nabc\r\n", LAST, GET, b"zz\r\n", POST + b"Content-Length: 3\r\n\r\nabc"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(b"".join),
    st.lists(st.tuples(st.integers(1, 120), st.integers(0, 4)), max_size=10),
    st.sampled_from([echo, count, gather, _never_ends, _crashes]),
    st.booleans(),
)
def test_every_stream_is_kept_its_promises(data: bytes, steps: list[tuple[int, int]], does: Does, stuck: bool) -> None:
    """Whatever is sent, however cut, whenever the client leaves: `run` once, then `sent` once; and no task stays."""

    async def scenario() -> None:
        wire = Wire(Recorder(stream_with=does), stuck=stuck)
        rest = data
        for size, pause in [*steps, (len(data), 0)]:
            if rest and not wire.transport.lost:
                wire.protocol.data_received(rest[:size])
            rest = rest[size:]
            await turns(pause)
        await wire.hang_up()
        assert len(wire.connections) == 0
        for stream in wire.service.streams:
            assert stream.events[0] == "run"
            assert [event.startswith("sent") for event in stream.events].count(True) == 1
            assert stream.events[-1].startswith("sent")

    run(scenario())

"""One HTTP/2 request from head to settled end, over a whole connection in memory."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http1_limits import Http1Limits
from edge.ingress.http2_limits import GATHERED_BYTES
from edge.ingress.http2_stream import Http2Stream
from edge.ingress.service import Answer, AnswerSink, BodyBroken, BodySource, Head, Header
from edge.ingress.turn import Turn
from edge.outcome import Fault, Refusal
from edge.wire.session import CANCEL, INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR, SessionSettings
from tests.unit.ingress.doubles import no_garbage, run, turns
from tests.unit.ingress.http2_wire import Reply, Service2, Streamed, Wire2, request

POST = request("POST", "/a")
SMALL = SessionSettings(stream_window_bytes=65_535)


async def never(head: Head, body: bytes) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


def test_a_get() -> None:
    async def scenario() -> None:
        wire = Wire2()
        reply = await wire.exchange(request("GET", "/a?b", (b"cookie", b"a=1"), (b"cookie", b"b=2")))
        assert (reply.status, reply.body, reply.ended, reply.reset) == (200, b"GET /a?b ", True, None)
        assert reply.head[b"content-length"] == b"9"
        assert b"date" in reply.head
        (head,) = wire.service.heads
        assert head is not None
        assert head.headers == [(b"host", b"a.example"), (b"cookie", b"a=1; b=2")]
        assert (head.version, head.peer, head.secure, head.has_body) == ("2", "192.0.2.1", True, False)
        assert wire.service.gathered[0].events == ["finish", "sent 9"]
        await wire.hang_up()

    run(scenario())


def test_a_body_is_gathered_and_its_window_given_back() -> None:
    """A body larger than the stream's window arrives, for what is gathered is acknowledged."""

    async def scenario() -> None:
        wire = Wire2(Service2(max_body_bytes=1 << 20))
        stream = wire.client.open(POST, end=False)
        await wire.turn()
        body, sent = bytes(range(256)) * 4000, 0
        while sent < len(body):
            taken = wire.client.send_data(stream, body[sent : sent + 100_000], end=sent + 100_000 >= len(body))
            assert taken
            sent += taken
            await wire.turn(2)
        await wire.turn()
        assert wire.service.gathered[0].body == body
        assert wire.replies[stream].status == 200
        assert wire.protocol.gathered_bytes == 0
        await wire.hang_up()

    run(scenario())


async def refused(reply: Reply, status: int, fault: bytes) -> None:
    assert (reply.status, reply.body, reply.ended) == (status, fault, True)


@pytest.mark.parametrize(
    ("headers", "status", "fault"),
    [
        (request("GET", "/" + "a" * 9000), 414, b"URI_TOO_LONG"),
        (request("GET", "/", (b"x", b"y" * 65536)), 431, b"HEADERS_TOO_LARGE"),
        (request("GET", "/", *((b"x-%d" % n, b"y") for n in range(101))), 431, b"HEADERS_TOO_LARGE"),
        (request("GET", "/", *((b"cookie", b"a" * 1000) for _ in range(66))), 431, b"HEADERS_TOO_LARGE"),
        (request("GET", "/", authority=None), 400, b"MALFORMED_REQUEST"),
        (request("GET", "/", authority="a@b"), 400, b"MALFORMED_REQUEST"),
        (request("GET", "/a#b"), 400, b"MALFORMED_REQUEST"),
        (request("GET", "/", (b"expect", b"magic")), 417, b"EXPECTATION_FAILED"),
        (request("OPTIONS", "*"), 404, b"ROUTE_NOT_FOUND"),
    ],
)
def test_heads_that_are_refused_cost_their_stream_alone(headers: list[Header], status: int, fault: bytes) -> None:
    async def scenario() -> None:
        wire = Wire2()
        await refused(await wire.exchange(headers), status, fault)
        assert (await wire.exchange()).status == 200
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize(
    "headers",
    [
        request("GET", "a"),
        request("GET", "http://a/"),
        request("GET", "/", (b"connection", b"close")),
        request("GET", "/", (b"te", b"gzip")),
        request("GET", "/", (b"Upper", b"x")),
        request("GET", "/", (b"x", b"a\r\nb: c")),
        request("GET", "/", (b"host", b"other")),
        request("GET", "/", (b"content-length", b"1")),
        [(b"x", b"y"), *request()],
    ],
)
def test_malformed_heads_are_reset_and_never_seen(headers: list[Header]) -> None:
    async def scenario() -> None:
        wire = Wire2()
        reply = await wire.exchange(headers)
        assert (reply.reset, wire.service.heads) == (PROTOCOL_ERROR, [])
        assert (await wire.exchange()).status == 200
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize(("length", "body"), [(b"5", b"four"), (b"3", b"four")])
def test_a_body_of_another_length_than_announced_is_reset(length: bytes, body: bytes) -> None:
    async def scenario() -> None:
        wire = Wire2()
        stream = wire.client.open(request("POST", "/", (b"content-length", length)), end=False)
        await wire.turn()
        wire.client.send_data(stream, body, end=True)
        await wire.turn()
        assert wire.replies[stream].reset == PROTOCOL_ERROR
        assert wire.service.gathered[0].events == ["abandon CANCELLED", "sent 0"]
        await wire.hang_up()

    run(scenario())


def test_a_body_cut_short_by_trailers_is_reset() -> None:
    async def scenario() -> None:
        wire = Wire2()
        stream = wire.client.open(request("POST", "/", (b"content-length", b"5")), end=False)
        wire.client.send_data(stream, b"four", end=False)
        wire.client.send_headers(stream, [(b"x", b"y")], end=True)
        await wire.turn()
        assert wire.replies[stream].reset == PROTOCOL_ERROR
        await wire.hang_up()

    run(scenario())


def test_request_trailers_end_a_body() -> None:
    async def scenario() -> None:
        wire = Wire2()
        stream = wire.client.open(POST, end=False)
        wire.client.send_data(stream, b"four", end=False)
        wire.client.send_headers(stream, [(b"x", b"y")], end=True)
        await wire.turn()
        assert wire.replies[stream].body == b"POST /a? four"
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_too_large_is_413_and_the_client_told_to_stop(announced: bool) -> None:
    """The answer is whole; a client that goes on sending gets RST_STREAM(NO_ERROR) after a while; the connection goes on."""

    async def scenario() -> None:
        wire = Wire2()
        fields = [(b"content-length", b"1001")] if announced else []
        stream = wire.client.open(request("POST", "/", *fields), end=False)
        if not announced:
            wire.client.send_data(stream, bytes(1001), end=False)
        await wire.turn()
        reply = wire.replies[stream]
        await refused(reply, 413, b"BODY_TOO_LARGE")
        assert wire.service.gathered[0].events == ["abandon BODY_TOO_LARGE", "sent 14"]
        assert reply.reset is None
        await asyncio.sleep(6)
        await wire.turn()
        assert reply.reset == NO_ERROR
        assert (await wire.exchange()).status == 200
        await wire.hang_up()

    run(scenario())


def test_a_client_may_send_all_of_a_body_that_was_answered_already() -> None:
    """It passes by, its window given back, and nothing is reset: curl and httpx read the answer only then."""

    async def scenario() -> None:
        wire = Wire2()
        stream, left = wire.client.open(POST, end=False), 500_000
        while left:
            left -= wire.client.send_data(stream, bytes(min(left, 60_000)), end=left <= 60_000)
            await wire.turn(2)
        await wire.turn()
        assert (wire.replies[stream].status, wire.replies[stream].reset) == (413, None)
        await asyncio.sleep(6)
        await wire.turn()
        assert wire.replies[stream].reset is None
        await wire.hang_up()

    run(scenario())


def test_bodies_gathered_at_once_are_bounded() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(max_body_bytes=1 << 20))
        await wire.turn()
        streams = [wire.client.open(POST, end=False) for _ in range(20)]
        left = dict.fromkeys(streams, 1_040_000)
        while any(left.values()):
            for stream in streams:  # as far as the window allows: it opens as the server reads
                left[stream] -= wire.client.send_data(stream, bytes(min(40_000, left[stream])), end=False)
            await wire.turn(2)
        assert wire.protocol.gathered_bytes <= GATHERED_BYTES
        statuses = [wire.replies[stream].status for stream in streams if stream in wire.replies]
        assert statuses
        assert set(statuses) == {503}
        await wire.hang_up()
        assert wire.protocol.gathered_bytes == 0

    run(scenario())


def test_a_body_that_does_not_come_is_408() -> None:
    async def scenario() -> None:
        wire = Wire2(limits=Http1Limits(body_timeout_s=4))
        stream = wire.client.open(POST, end=False)
        await wire.turn()
        await asyncio.sleep(3.9)
        await wire.turn()
        assert stream not in wire.replies
        await asyncio.sleep(1.2)
        await wire.turn()
        await refused(wire.replies[stream], 408, b"REQUEST_TIMEOUT")
        assert wire.service.gathered[0].events == ["abandon REQUEST_TIMEOUT", "sent 15"]
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize("limit", [100, None])
def test_a_streamed_body_that_is_bounded_has_its_time_too(limit: int | None) -> None:
    """Or a client that opens streams and sends nothing would hold their calls for ever. What has no bound is a dialogue: it may rest."""
    broken: list[Refusal] = []

    async def read(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        try:
            while await body.read():
                pass
        except BodyBroken as error:
            broken.append(error.refusal)
        answer.start(200, ())
        answer.end()

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=read, max_stream_bytes=limit), limits=Http1Limits(body_timeout_s=4))
        in_time, late = wire.client.open(POST, end=False), wire.client.open(POST, end=False)
        await wire.turn()
        await asyncio.sleep(3)
        wire.client.send_data(in_time, b"a", end=True)
        wire.client.send_data(late, b"a", end=False)
        await wire.turn()
        assert wire.replies[in_time].ended
        assert late not in wire.replies
        await asyncio.sleep(2.1)
        await wire.turn()
        assert (late in wire.replies) == (limit is not None)
        assert [refusal.fault for refusal in broken] == [Fault.REQUEST_TIMEOUT] * (limit is not None)
        await wire.hang_up()

    run(scenario())


def test_continue_is_said_once_the_service_has_agreed() -> None:
    async def scenario() -> None:
        wire = Wire2()
        stream = wire.client.open(request("POST", "/", (b"expect", b"100-continue")), end=False)
        await wire.turn()
        assert wire.replies[stream].interim == [b"100"]
        wire.client.send_data(stream, b"x", end=True)
        await wire.turn()
        assert wire.replies[stream].status == 200
        wire.service.answer = Answer(404)
        stream = wire.client.open(request("POST", "/", (b"expect", b"100-continue")), end=False)
        await wire.turn()
        assert (wire.replies[stream].interim, wire.replies[stream].status) == ([], 404)
        await wire.hang_up()

    run(scenario())


def test_a_reset_cancels_the_call_in_the_same_turn() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(finish=never))
        stream = wire.ask()
        await wire.turn()
        (call,) = wire.service.gathered
        wire.client.reset(stream, CANCEL)
        wire.protocol.data_received(wire.client.take())
        await asyncio.sleep(0)
        assert call.events == ["finish", "cancelled", "sent 0"]
        await wire.hang_up()

    run(scenario())


def test_a_reset_while_the_answer_waits_for_a_window_settles_once() -> None:
    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(100_000))

        wire = Wire2(Service2(finish=large), client=SMALL, reading=False)
        stream = wire.ask()
        await wire.turn()
        assert wire.service.gathered[0].events == ["finish"]
        wire.client.reset(stream, CANCEL)
        await wire.turn()
        assert wire.service.gathered[0].events == ["finish", "sent 65535"]
        await wire.hang_up()
        assert len(wire.service.gathered[0].events) == 2

    run(scenario())


def test_an_answer_nobody_takes_is_dropped_at_the_write_timeout() -> None:
    """A window of zero, or one that opens by drops (CVE-2019-9511, 9517): the stream is reset, the connection lives."""

    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(70_000))

        wire = Wire2(Service2(finish=large), Http1Limits(write_timeout_s=5), client=SMALL, reading=False)
        stream = wire.ask()
        await wire.turn()
        for _ in range(9):  # five seconds in which the window's worth went out, four in which next to nothing did
            await asyncio.sleep(1)
            wire.client._h2.increment_flow_control_window(1, stream)
            await wire.turn()
        assert wire.replies[stream].reset is None
        await asyncio.sleep(3.1)
        await wire.turn()
        assert wire.replies[stream].reset == CANCEL
        assert wire.service.gathered[0].events[0] == "finish"
        assert wire.service.gathered[0].events[1].startswith("sent ")
        assert not wire.transport.closed
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_without_a_body(method: str, status: int) -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(answer=Answer(status, ((b"x", b"y"),), b"seven!!")))
        reply = await wire.exchange(request(method))
        assert (reply.status, reply.body, reply.ended) == (status, b"", True)
        assert reply.head.get(b"content-length") == (b"7" if status == 200 else None)
        await wire.hang_up()

    run(scenario())


def test_trailers_follow_the_body() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(answer=Answer(200, (), b"body", trailers=((b"grpc-status", b"0"),))))
        reply = await wire.exchange()
        assert (reply.body, reply.trailers, reply.ended) == (b"body", [(b"grpc-status", b"0")], True)
        assert b"content-length" not in reply.head
        await wire.hang_up()

    run(scenario())


def test_an_unsafe_field_never_leaves() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(answer=Answer(200, ((b"x", b"a\r\nb: c"),))))
        assert (await wire.exchange()).status == 500
        await wire.hang_up()

    run(scenario())


# Streaming calls.


def test_a_conversation() -> None:
    """Both directions at once; what was read is acknowledged, the end is a block of trailers."""

    async def talk(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        answer.start(200, ((b"content-type", b"x"),))
        while piece := await body.read():
            await answer.write(b"<" + piece + b">")
        answer.end(((b"t", b"1"),))

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=talk))
        stream = wire.client.open(POST, end=False)
        await wire.turn()
        assert wire.replies[stream].status == 200
        for word in (b"one", b"two"):
            wire.client.send_data(stream, word, end=False)
            await wire.turn()
            assert wire.replies[stream].body.endswith(b"<" + word + b">")
        wire.client.send_data(stream, b"", end=True)
        await wire.turn()
        reply = wire.replies[stream]
        assert (reply.body, reply.trailers, reply.ended, reply.reset) == (b"<one><two>", [(b"t", b"1")], True, None)
        assert wire.service.streamed[0].events == ["run", "sent 10"]
        await wire.hang_up()

    run(scenario())


def test_a_body_that_is_not_read_stops_at_the_window() -> None:
    go = asyncio.Event()

    async def slow(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        await go.wait()
        size = 0
        while piece := await body.read():
            size += len(piece)
        answer.start(200, ())
        await answer.write(b"%d" % size)
        answer.end()

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=slow))
        stream = wire.client.open(POST, end=False)
        await wire.turn()
        body = bytes(1_000_000)
        sent = wire.client.send_data(stream, body, end=True)
        await wire.turn()
        sent += wire.client.send_data(stream, body[sent:], end=True)
        assert sent == 256 * 1024
        go.set()
        while sent < len(body):
            await wire.turn(2)
            sent += wire.client.send_data(stream, body[sent:], end=True)
        await wire.turn()
        assert wire.replies[stream].body == b"1000000"
        await wire.hang_up()

    run(scenario())


def test_a_write_waits_for_the_reader() -> None:
    written: list[int] = []

    async def flood(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        answer.start(200, ())
        for number in range(30):
            await answer.write(bytes(10_000))
            written.append(number)
        answer.end()

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=flood), client=SMALL, reading=False)
        stream = wire.ask()
        await wire.turn()
        assert len(written) == 6  # 65,535 bytes: the seventh is held, the eighth not made
        wire.reading = True
        wire.client.acknowledge(stream, 65_535)
        await wire.turn(20)
        assert (len(wire.replies[stream].body), wire.replies[stream].ended) == (300_000, True)
        await wire.hang_up()

    run(scenario())


def test_a_streamed_body_over_its_limit_breaks_off() -> None:
    async def read(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        try:
            while await body.read():
                pass
        except BodyBroken as error:
            answer.start(413, ())
            await answer.write(error.refusal.fault.name.encode())
            answer.end()

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=read, max_stream_bytes=10))
        stream = wire.client.open(POST, end=False)
        wire.client.send_data(stream, bytes(11), end=False)
        await wire.turn()
        await refused(wire.replies[stream], 413, b"BODY_TOO_LARGE")
        stream = wire.client.open(request("POST", "/", (b"content-length", b"11")), end=False)
        await wire.turn()
        assert wire.replies[stream].status == 413
        await wire.hang_up()

    run(scenario())


async def _crash(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ())
    raise ValueError


async def _leave_open(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ())


async def _stop_short(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
    answer.start(200, ((b"content-length", b"5"),))
    await answer.write(b"four")
    answer.end()


async def _say_nothing(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
    """Not even a head."""


@pytest.mark.parametrize("streaming", [_crash, _leave_open, _stop_short, _say_nothing])
def test_an_answer_left_open_is_a_reset(streaming: object) -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(streaming=streaming))  # type: ignore[arg-type]  # each is a Streaming
        reply = await wire.exchange()
        assert (reply.reset, reply.ended) == (INTERNAL_ERROR, False)
        assert wire.service.streamed[0].events[0] == "run"
        assert wire.service.streamed[0].events[1].startswith("sent ")
        assert (await wire.exchange()).reset == INTERNAL_ERROR
        await wire.hang_up()

    run(scenario())


def test_a_head_answered_by_a_stream_has_no_body() -> None:
    async def scenario() -> None:
        wire = Wire2(Service2(streaming=_stop_short))
        reply = await wire.exchange(request("HEAD"))
        assert (reply.status, reply.body, reply.ended, reply.reset) == (200, b"", True, None)
        assert reply.head[b"content-length"] == b"5"
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize("well", [True, False])
def test_what_a_call_leaves_unread_is_given_back_to_the_connection(well: bool) -> None:
    """Or a few early answers, good or cut short, would shut the window that all streams share."""

    async def early(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        await turns(6)
        answer.start(200, ())
        if well:
            answer.end()
        else:
            answer.abort()

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=early))
        await wire.turn()
        for _ in range(40):
            stream = wire.client.open(POST, end=False)
            assert wire.client.send_data(stream, bytes(60_000), end=False) == 60_000
            await wire.turn()
            assert wire.replies[stream].ended if well else wire.replies[stream].reset == INTERNAL_ERROR
        await wire.hang_up()

    run(scenario())


def test_a_reset_stream_wakes_its_call() -> None:
    async def wait(call: Streamed, body: BodySource, answer: AnswerSink) -> None:
        answer.start(200, ())
        await answer.write(bytes(100_000))

    async def scenario() -> None:
        wire = Wire2(Service2(streaming=wait), client=SMALL, reading=False)
        stream = wire.ask(POST)
        await wire.turn()
        wire.client.acknowledge(stream, 1)
        wire.client.reset(stream, CANCEL)
        await wire.turn()
        assert wire.service.streamed[0].events[:2] in (["run", "cancelled"], ["run", "sent 100000"])
        await wire.hang_up()

    run(scenario())


def test_a_stream_leaves_nothing_for_the_collector() -> None:
    """Answered, or reset by the client."""

    async def scenario() -> None:
        wire = Wire2()
        await wire.turn()
        with no_garbage(Http2Stream, Turn):
            await wire.exchange(body=b"x")
            wire.client.reset(wire.ask(request("POST"), b""), CANCEL)
            await wire.turn()
            wire.replies.clear()
            wire.service.gathered.clear()
        await wire.hang_up()

    run(scenario())

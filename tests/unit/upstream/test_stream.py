"""A unary stream, told of one answer after another: what it settles as, and what it makes its connection do."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from edge.core.grpc_frame import encode_frame
from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply
from edge.upstream.stream import Outcome, Stream, UnaryStream, Unprocessed
from edge.wire.session import CANCEL, NO_ERROR, REFUSED_STREAM, AnswerReceived, Header

HEAD = [(b":status", b"200"), (b"content-type", b"application/grpc")]
OK = [(b"grpc-status", b"0")]


class Carrier:
    """A connection that only takes notes."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.released: list[int | None] = []
        self.pushed: list[bytes] = []
        self.room = 1 << 30

    def push(self, stream: Stream) -> None:
        data = bytes(stream.unsent)
        self.pushed.append(data[: self.room])
        stream.unsent = data[self.room :]

    def acknowledge(self, stream_id: int, size: int) -> None:
        self.acknowledged += size

    def release(self, stream: Stream, reset_code: int | None) -> None:
        self.released.append(reset_code)


class Told(UnaryStream):
    """A unary stream whose outcome is kept."""

    def __init__(self, limit: int, done: asyncio.Future[Outcome]) -> None:
        super().__init__(limit)
        self.done = done
        self.unsent = b"ask"

    def settled(self) -> None:
        assert self.settled_as is not None
        self.done.set_result(self.settled_as)


class Call:
    """A unary stream whose request has been sent."""

    def __init__(self, limit: int = 100) -> None:
        self.carrier = Carrier()
        self.done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.stream = Told(limit, self.done)
        self.stream.carrier = self.carrier
        self.carrier.push(self.stream)

    def data(self, data: bytes, *, end: bool = False) -> None:
        self.stream.data_received(data, len(data), end=end)

    def fault(self) -> tuple[Fault, list[int | None]]:
        outcome = self.done.result()
        assert isinstance(outcome, Refusal), outcome
        return outcome.fault, self.carrier.released


@pytest.fixture
async def call() -> Call:
    return Call()


async def test_an_answer_in_pieces(call: Call) -> None:
    call.stream.head_received(HEAD, end=False)
    for byte in encode_frame(b"answer"):
        call.data(bytes((byte,)))
    call.stream.trailers_received(OK)
    assert call.done.result() == UnaryReply(0, b"answer")
    assert call.carrier.acknowledged == 11
    assert call.carrier.released == [None]


async def test_an_answer_in_one_piece_gives_its_window_back_too(call: Call) -> None:
    """It needs no decoder, but the connection's window needs its bytes."""
    call.stream.head_received(HEAD, end=False)
    call.data(encode_frame(b"answer"))
    assert call.carrier.acknowledged == 11
    call.stream.trailers_received(OK)
    assert call.done.result() == UnaryReply(0, b"answer")


async def test_gzip_is_understood_and_bounded() -> None:
    for size, fault in ((100, None), (101, Fault.RESPONSE_TOO_LARGE)):
        call = Call(limit=100)
        call.stream.head_received([*HEAD, (b"grpc-encoding", b"gzip")], end=False)
        call.data(b"\1" + encode_frame(gzip.compress(bytes(size)))[1:])
        call.stream.trailers_received(OK)
        assert (call.fault() == (fault, [CANCEL])) if fault else (call.done.result() == UnaryReply(0, bytes(size)))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", Fault.UPSTREAM_MALFORMED),
        (b"\0\0\0", Fault.UPSTREAM_MALFORMED),
        (b"\0\0\0\0\5abc", Fault.UPSTREAM_MALFORMED),
        (encode_frame(b"a") * 2, Fault.UPSTREAM_MALFORMED),
        (b"\2\0\0\0\0", Fault.UPSTREAM_MALFORMED),
        (b"\1\0\0\0\1x", Fault.UPSTREAM_MALFORMED),
        (encode_frame(bytes(101)), Fault.RESPONSE_TOO_LARGE),
        (b"\0\xff\xff\xff\xff", Fault.RESPONSE_TOO_LARGE),
    ],
)
async def test_bodies_that_are_no_unary_answer(call: Call, body: bytes, fault: Fault) -> None:
    call.stream.head_received(HEAD, end=False)
    call.data(body)
    call.stream.trailers_received(OK)
    assert call.fault()[0] is fault
    assert call.carrier.acknowledged == len(body), "whatever the bytes were, the connection's window needs them back"


async def test_no_trailers(call: Call) -> None:
    call.stream.head_received(HEAD, end=False)
    call.data(encode_frame(b"x"), end=True)
    assert call.fault() == (Fault.UPSTREAM_MALFORMED, [None])


async def test_not_grpc_resets_the_stream(call: Call) -> None:
    call.stream.head_received([(b":status", b"502"), (b"content-type", b"text/html")], end=False)
    assert call.fault() == (Fault.UPSTREAM_HTTP_ERROR, [CANCEL])


async def test_an_answer_before_the_request_was_read_stops_the_request(call: Call) -> None:
    """RFC 9113 section 8.1: the rest of the request is not wanted."""
    call.stream.unsent = b"rest"
    call.stream.head_received([*HEAD, (b"grpc-status", b"8")], end=True)
    assert call.carrier.released == [NO_ERROR]
    assert call.stream.unsent == b""


async def test_a_whole_answer_before_the_request_was_read_stops_it_too(call: Call) -> None:
    call.stream.unsent = b"rest"
    call.stream.answer_received(AnswerReceived(1, HEAD, b"x", OK))
    assert (call.carrier.released, call.stream.unsent) == ([NO_ERROR], b"")


async def test_refused_before_an_answer_is_unprocessed_and_after_one_is_not(call: Call) -> None:
    call.stream.reset_received(REFUSED_STREAM, by_peer=True)
    assert isinstance(call.done.result(), Unprocessed)
    begun = Call()
    begun.stream.head_received(HEAD, end=False)
    begun.stream.reset_received(REFUSED_STREAM, by_peer=True)
    assert begun.fault()[0] is Fault.UPSTREAM_RESET


async def test_the_first_outcome_stands(call: Call) -> None:
    call.stream.expire()
    call.stream.trailers_received(OK)
    call.stream.lost("gone", unprocessed=True)
    call.stream.cancel()
    assert call.fault() == (Fault.DEADLINE_EXCEEDED, [CANCEL])


_GZIP_HEAD = [*HEAD, (b"grpc-encoding", b"gzip")]


@pytest.mark.parametrize(
    ("head", "message", "trailers"),
    [
        (HEAD, b"answer", OK),
        ([*HEAD, (b"x-a", b"1")], b"", [*OK, (b"x-b", b"2")]),
        (HEAD, b"answer", [(b"grpc-status", b"5"), (b"grpc-message", b"gone")]),
        (HEAD, b"answer", []),
        (HEAD, b"x" * 100, OK),
        (HEAD, b"x" * 101, OK),
        (_GZIP_HEAD, b"answer", OK),
        ([(b":status", b"503"), (b"content-type", b"text/html")], b"<p>no", OK),
    ],
)
async def test_an_answer_told_at_once_means_what_its_parts_mean(
    head: list[Header], message: bytes, trailers: list[Header]
) -> None:
    whole, parts = Call(), Call()
    data = encode_frame(message)
    whole.stream.answer_received(AnswerReceived(1, head, message, trailers))
    parts.stream.head_received(head, end=False)
    if not parts.carrier.released:
        parts.data(data)
    if not parts.carrier.released:
        parts.stream.trailers_received(trailers)
    assert whole.done.result() == parts.done.result()
    assert whole.carrier.released == parts.carrier.released
    assert whole.carrier.acknowledged == 0  # who told it has done that

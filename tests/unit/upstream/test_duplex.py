"""A streaming call's back-pressure, both ways."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from edge.core.grpc_frame import Inflated, encode_frame
from edge.outcome import Fault, Refusal
from edge.upstream.call import Trace, UnaryReply
from edge.upstream.duplex import DuplexStream
from edge.wire.session import CANCEL
from tests.unit.upstream.test_stream import HEAD, OK, Carrier


@pytest.fixture
async def stream() -> DuplexStream:
    stream = DuplexStream(asyncio.get_running_loop(), 1000, None)
    stream.carrier = Carrier()
    return stream


def carrier(stream: DuplexStream) -> Carrier:
    assert isinstance(stream.carrier, Carrier)
    return stream.carrier


def deliver(stream: DuplexStream, data: bytes) -> None:
    stream.data_received(data, len(data), end=False)


async def test_messages_then_the_outcome(stream: DuplexStream) -> None:
    stream.head_received(HEAD, end=False)
    deliver(stream, encode_frame(b"a") + encode_frame(b"b"))
    stream.trailers_received(OK)
    assert [await stream.receive() for _ in range(3)] == [b"a", b"b", None]
    assert stream.outcome == UnaryReply(0, None)


async def test_the_window_stays_shut_until_messages_are_read(stream: DuplexStream) -> None:
    stream.head_received(HEAD, end=False)
    deliver(stream, encode_frame(b"first") + encode_frame(b"second") + b"\0\0")
    deliver(stream, b"\0\0\5th")
    assert carrier(stream).acknowledged == 0
    await stream.receive()
    assert carrier(stream).acknowledged == 0, "a few bytes, while more waits, are not worth a frame"
    await stream.receive()
    assert carrier(stream).acknowledged == 10 + 11 + 7, (
        "what is left is one incomplete message: the rest of it may come"
    )
    deliver(stream, b"i")
    assert carrier(stream).acknowledged == 29


async def test_the_window_opens_by_what_was_read_while_more_waits(stream: DuplexStream) -> None:
    """In steps of 8 KiB, and never by more than was read."""
    stream.head_received(HEAD, end=False)
    deliver(stream, encode_frame(b"m" * 1000) * 20)
    opened = []
    for _ in range(19):
        await stream.receive()
        opened.append(carrier(stream).acknowledged)
    assert opened == [0] * 8 + [9045] * 9 + [18090] * 2
    await stream.receive()
    assert carrier(stream).acknowledged == 20 * 1005


async def test_what_is_there_is_taken_at_once_within_bounds(stream: DuplexStream) -> None:
    """The window opens by it as if it were received one by one."""
    stream.head_received(HEAD, end=False)
    deliver(stream, encode_frame(b"m" * 1000) * 20)
    assert await stream.receive() == b"m" * 1000
    assert stream.take(3, 10_000) == [b"m" * 1000] * 3
    assert stream.take(9, 2_001) == [b"m" * 1000] * 3, "the last may go past the size"
    assert (stream.take(9, 0), stream.take(0, 9)) == ([], [])
    assert carrier(stream).acknowledged == 0
    assert len(stream.take(99, 99_999)) == 13
    assert carrier(stream).acknowledged == 20 * 1005
    assert stream.take(9, 9) == []


async def test_what_comes_before_a_broken_message_is_taken(stream: DuplexStream) -> None:
    stream.head_received([*HEAD, (b"grpc-encoding", b"gzip")], end=False)
    deliver(stream, encode_frame(b"a") + encode_frame(b"no gzip", compressed=True) + encode_frame(b"b"))
    stream.trailers_received(OK)
    assert stream.take(9, 9999) == [b"a"]
    assert (stream.take(9, 9999), await stream.receive()) == ([], None)
    assert isinstance(stream.outcome, Refusal)


async def test_what_is_not_read_is_given_back_when_the_call_is_cancelled(stream: DuplexStream) -> None:
    stream.head_received(HEAD, end=False)
    deliver(stream, encode_frame(b"unread") * 3)
    stream.cancel()
    stream.cancel()
    assert carrier(stream).acknowledged == 33
    assert carrier(stream).released == [CANCEL]
    assert await stream.receive() is None


async def test_a_broken_message_still_gives_its_window_back(stream: DuplexStream) -> None:
    stream.head_received(HEAD, end=False)
    deliver(stream, b"\2\0\0\0\0")
    assert carrier(stream).acknowledged == 5
    assert await stream.receive() is None


async def test_compressed_messages_are_held_compressed(stream: DuplexStream) -> None:
    stream.head_received([*HEAD, (b"grpc-encoding", b"gzip")], end=False)
    deliver(stream, b"\1" + encode_frame(gzip.compress(bytes(1000)))[1:])
    assert await stream.receive() == bytes(1000)
    deliver(stream, b"\1" + encode_frame(gzip.compress(bytes(1001)))[1:])
    stream.trailers_received(OK)
    assert await stream.receive() is None
    assert isinstance(stream.outcome, Refusal)
    assert stream.outcome.fault is Fault.RESPONSE_TOO_LARGE


async def test_send_waits_for_flow_control(stream: DuplexStream) -> None:
    carrier(stream).room = 4
    sending = asyncio.ensure_future(stream.send(b"abc"))
    await asyncio.sleep(0)
    assert not sending.done()
    stream.unsent = b""
    stream.drained()
    await sending


async def test_a_reader_and_a_sender_wake_when_the_call_ends(stream: DuplexStream) -> None:
    carrier(stream).room = 0
    waiting = asyncio.gather(stream.receive(), stream.send(b"x"))
    await asyncio.sleep(0)
    stream.lost("gone", unprocessed=True)
    await waiting
    assert stream.outcome == Refusal(Fault.UPSTREAM_UNAVAILABLE, "gone")


async def test_sending_after_the_end_does_nothing(stream: DuplexStream) -> None:
    await stream.send(b"last", end=True)
    await stream.send(b"more")
    await stream.end()
    assert carrier(stream).pushed == [encode_frame(b"last")]


async def test_every_byte_of_the_service_s_is_told_of() -> None:
    """A message that comes slowly is no silence, though it is not whole yet."""
    loop = asyncio.get_running_loop()
    trace = Trace()
    stream = DuplexStream(loop, 1000, None, trace)
    stream.carrier = Carrier()
    stream.head_received(HEAD, end=False)
    assert trace.moved == 0.0
    before = loop.time()
    deliver(stream, b"\0\0")
    assert before <= trace.moved <= loop.time()
    stream.cancel()


async def test_a_compressed_message_knows_how_it_came(stream: DuplexStream) -> None:
    """For dialects that can pass it on so."""
    payload = gzip.compress(b"hello", mtime=0)
    stream.head_received([*HEAD, (b"grpc-encoding", b"gzip")], end=False)
    deliver(stream, encode_frame(payload, compressed=True))
    message = await stream.receive()
    assert message == b"hello"
    assert isinstance(message, Inflated)
    assert message.gzipped == payload
    stream.cancel()

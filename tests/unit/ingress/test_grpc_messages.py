"""Messages out of a body of frames."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_web import TextDecoder, encode_text
from edge.ingress.grpc_messages import MessageReader
from edge.ingress.message_form import PROTO
from edge.ingress.service import BodyBroken
from edge.outcome import Fault, Refusal
from tests.unit.ingress.rpc_scenes import Pieces, frames


def compressed(message: bytes) -> bytes:
    """A frame flagged as compressed."""
    payload = gzip.compress(message, mtime=0)
    return b"\1" + len(payload).to_bytes(4, "big") + payload


@given(
    st.lists(st.tuples(st.binary(max_size=60), st.booleans()), max_size=6),
    st.lists(st.integers(min_value=1, max_value=9), min_size=1),
    st.booleans(),
)
def test_messages_come_out_however_the_body_is_cut(
    given_messages: list[tuple[bytes, bool]], cuts: list[int], as_text: bool
) -> None:
    """Compressed or not, as bytes or as text."""
    pieces = [compressed(m) if packed else frames(m) for m, packed in given_messages]
    body = b"".join(encode_text(piece) if as_text else piece for piece in pieces)
    reader = MessageReader(100, "gzip", PROTO, TextDecoder() if as_text else None)
    got: list[bytes] = []
    while body:
        cut = cuts[len(body) % len(cuts)]
        got += reader.feed(body[:cut])
        body = body[cut:]
    reader.end()
    assert got == [message for message, _ in given_messages]


@pytest.mark.parametrize(
    ("body", "coding", "fault", "code"),
    [
        (b"\0\0\0\0\x65", "gzip", Fault.BODY_TOO_LARGE, 8),
        (compressed(bytes(101)), "gzip", Fault.BODY_TOO_LARGE, 8),
        (compressed(b"x")[:-1] + b"\xff", "gzip", Fault.INVALID_ARGUMENT, 3),
        (compressed(b"x"), "identity", Fault.MALFORMED_REQUEST, 13),
        (b"\2\0\0\0\0", "gzip", Fault.MALFORMED_REQUEST, 3),
    ],
)
def test_what_is_no_message_breaks_the_body_off(body: bytes, coding: str, fault: Fault, code: int) -> None:
    """As soon as it is seen: a length over the limit with its prefix."""
    with pytest.raises(BodyBroken) as caught:
        list(MessageReader(100, coding, PROTO).feed(body))
    assert (caught.value.refusal.fault, caught.value.refusal.grpc_code) == (fault, code)


@pytest.mark.parametrize("text", [None, TextDecoder()])
def test_half_a_message_is_no_end(text: TextDecoder | None) -> None:
    """Nor is half a byte."""
    reader = MessageReader(100, "identity", PROTO, text)
    assert not list(reader.feed(b"AAA"))
    with pytest.raises(BodyBroken):
        reader.end()


async def test_a_method_that_takes_one_message_takes_no_more_and_no_fewer() -> None:
    """The first one is handed on before anybody knows of a second."""
    taken = MessageReader(100, "identity", PROTO).single(Pieces(frames(b"a"), frames(b"b")))
    assert await anext(taken) == b"a"
    with pytest.raises(BodyBroken):
        await anext(taken)
    for count, messages in ((0, ()), (2, (b"a", b"b"))):
        refusal = MessageReader(100, "identity", PROTO).only(frames(*messages))
        assert isinstance(refusal, Refusal), count
        assert refusal.grpc_code == 12
    assert MessageReader(100, "identity", PROTO).only(frames(b"a")) == b"a"


def bombs(count: int, size: int) -> bytes:
    """Messages that are some dozen bytes each as sent, and `size` as inflated."""
    payload: bytes = brotli.compress(bytes(size))
    return (b"\1" + len(payload).to_bytes(4, "big") + payload) * count


async def test_messages_are_inflated_one_at_a_time() -> None:
    """However many come in one piece: a window full of them would be gigabytes, whoever sends or counts them."""
    size = 1 << 20
    body = bombs(100, size)
    tracemalloc.start()
    try:
        reader = MessageReader(size, "br", PROTO)
        assert [len(message) async for message in reader.stream(Pieces(body))] == [size] * 100
        refusal = MessageReader(size, "br", PROTO).only(body)
        assert isinstance(refusal, Refusal)
        assert refusal.grpc_code == 12
        assert tracemalloc.get_traced_memory()[1] < 8 * size
    finally:
        tracemalloc.stop()


async def test_a_reader_that_stops_leaves_no_task_behind() -> None:
    """What is dropped half read would be closed by a task of its own."""
    taken = MessageReader(100, "identity", PROTO).single(Pieces(frames(b"a")))
    assert await anext(taken) == b"a"
    await taken.aclose()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1

"""gRPC framing: any split of the bytes gives the same messages, and no length gets past the limit."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_frame import (
    Frame,
    FrameDecoder,
    FrameError,
    Inflated,
    MessageTooLarge,
    encode_frame,
    inflate_gzip,
    whole_message,
)


def test_an_inflated_message_knows_how_it_came() -> None:
    """It is the message to whoever asks for nothing else, and within the limit."""
    message = Inflated.of(packed := gzip.compress(b"hello", mtime=0), 5)
    assert message == b"hello"
    assert message.gzipped == packed
    with pytest.raises(MessageTooLarge):
        Inflated.of(packed, 4)


def test_a_frame_is_flag_length_message() -> None:
    assert encode_frame(b"abc") == b"\x00\x00\x00\x00\x03abc"


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=8), st.data())
def test_any_split_gives_the_same_frames(messages: list[tuple[bool, bytes]], data: st.DataObject) -> None:
    wire = b"".join(bytes((compressed,)) + encode_frame(payload)[1:] for compressed, payload in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    decoder = FrameDecoder(40)
    frames = []
    for start, stop in itertools.pairwise([0, *cuts, len(wire)]):
        frames += decoder.feed(wire[start:stop])
    assert frames == [Frame(*message) for message in messages]
    assert not decoder.partial


@given(st.binary(min_size=1, max_size=30), st.integers(1, 34))
def test_a_cut_message_is_partial(payload: bytes, kept: int) -> None:
    wire = encode_frame(payload)
    decoder = FrameDecoder(30)
    assert decoder.feed(wire[: min(kept, len(wire) - 1)]) == []
    assert decoder.partial


def test_a_length_over_the_limit_is_refused_by_its_prefix() -> None:
    """A 4 GiB claim costs five bytes, whatever its chunks."""
    decoder = FrameDecoder(10)
    assert decoder.feed(b"\x00\xff\xff\xff") == []
    with pytest.raises(MessageTooLarge):
        decoder.feed(b"\xff")


def test_the_limit_itself_is_allowed() -> None:
    assert FrameDecoder(10).feed(encode_frame(b"x" * 10)) == [Frame(False, b"x" * 10)]


def test_unknown_flags_are_refused() -> None:
    with pytest.raises(FrameError, match="0x02"):
        FrameDecoder(10).feed(b"\x02\x00\x00\x00\x00")


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_gzip_of_one_or_more_members_inflates(first: bytes, second: bytes) -> None:
    assert inflate_gzip(gzip.compress(first) + gzip.compress(second), 200) == first + second


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_inflation_stops_at_the_limit(size: int, *, fits: bool) -> None:
    payload = gzip.compress(bytes(size))
    if fits:
        assert len(inflate_gzip(payload, 1000)) == size
    else:
        with pytest.raises(MessageTooLarge):
            inflate_gzip(payload, 1000)


def test_empty_members_without_end_are_refused() -> None:
    """Each costs a copy of all that follow it: a message of them would hold the event loop for seconds."""
    empty = gzip.compress(b"")
    assert inflate_gzip(empty * 64, 10) == b""
    with pytest.raises(FrameError, match="members"):
        inflate_gzip(empty * 65, 10)


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    with pytest.raises(MessageTooLarge):
        inflate_gzip(gzip.compress(bytes(50_000_000)), 1000)


@pytest.mark.parametrize(
    "payload",
    [b"", b"not gzip", gzip.compress(b"hello", mtime=0)[:-3], gzip.compress(b"hello", mtime=0) + b"junk"],
    ids=["nothing", "no gzip", "cut short", "junk behind it"],
)
def test_what_is_no_gzip_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        inflate_gzip(payload, 1000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode_frame(b"abc"), b"abc"),
        (encode_frame(b""), b""),
        (encode_frame(bytes(10)), bytes(10)),
        (encode_frame(bytes(11)), None),
        (encode_frame(b"abc")[:-1], None),
        (encode_frame(b"abc") + b"x", None),
        (b"\1" + encode_frame(b"abc")[1:], None),
        (b"\0\0\0", None),
        (b"", None),
    ],
)
def test_one_whole_plain_message_needs_no_decoder(data: bytes, message: bytes | None) -> None:
    """Whatever else it may be, too large, compressed, a part or more than one, is the decoder's to say."""
    assert whole_message(data, 10) == message

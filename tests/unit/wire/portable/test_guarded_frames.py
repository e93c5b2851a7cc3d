"""The guard before h2's frame buffer: what is refused by its head, and what a header block may cost."""

from __future__ import annotations

import pytest
from h2.exceptions import FrameDataMissingError, FrameTooLargeError, ProtocolError
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame

from edge.core import glitches
from edge.core.glitches import GlitchBudget
from edge.wire.portable.guarded_frames import (
    MAX_CONTINUATIONS,
    GuardedFrameBuffer,
    HeaderBlockTooLarge,
    Misbehaviour,
)


def buffer(data: bytes, *, budget: GlitchBudget | None = None, max_block_bytes: int = 65536) -> GuardedFrameBuffer:
    made = GuardedFrameBuffer(server=False, max_block_bytes=max_block_bytes, budget=budget)
    made.max_frame_size = 16384
    made.add_data(data)
    return made


def wire(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in frames)


def continued(*sizes: int, end: bool = True) -> bytes:
    """A header block in so many frames of these sizes."""
    first = HeadersFrame(1, b"")
    rest = [ContinuationFrame(1, bytes(size)) for size in sizes]
    if end:
        rest[-1].flags.add("END_HEADERS")
    return wire(first, *rest)


def test_frames_come_out_whole_and_in_order() -> None:
    data = wire(PingFrame(0, b"12345678"), DataFrame(1, b"x")) + SettingsFrame(0).serialize()[:5]
    frames = list(buffer(data))
    assert [type(frame) for frame in frames] == [PingFrame, DataFrame]


def test_a_frame_too_large_is_refused_by_its_head() -> None:
    with pytest.raises(FrameTooLargeError):
        next(buffer(b"\x00\x40\x01\x00\x00\x00\x00\x00\x01"))


def test_an_http1_answer_is_called_by_its_name() -> None:
    with pytest.raises(FrameTooLargeError, match="HTTP/1"):
        next(buffer(b"HTTP/1.1 400 Bad"))


def test_a_frame_of_the_wrong_size() -> None:
    with pytest.raises(FrameDataMissingError):
        next(buffer(b"\x00\x00\x03\x08\x00\x00\x00\x00\x01abc"))


def test_an_acknowledgement_with_settings_is_of_the_wrong_size() -> None:
    """FRAME_SIZE_ERROR (RFC 9113 6.5), where hyperframe alone calls it invalid data."""
    with pytest.raises(FrameDataMissingError):
        next(buffer(b"\0\0\6\4\1\0\0\0\0" + bytes(6)))


def test_a_continued_block_is_one_frame() -> None:
    (frame,) = buffer(continued(*[10] * 5))
    assert isinstance(frame, HeadersFrame)
    assert len(frame.data) == 50


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_block_that_never_ends_is_refused(size: int) -> None:
    """CVE-2024-27316: by their number, however small; by their bytes, however few."""
    with pytest.raises(HeaderBlockTooLarge):
        list(buffer(continued(*[size] * (MAX_CONTINUATIONS + 1), end=False), max_block_bytes=65536))
    assert MAX_CONTINUATIONS < 64


def test_a_block_of_too_many_bytes_is_refused_before_its_end() -> None:
    with pytest.raises(HeaderBlockTooLarge):
        list(buffer(continued(600, 600, end=False), max_block_bytes=1000))


def test_the_bytes_of_one_block_do_not_count_for_the_next() -> None:
    data = continued(600, 10) + continued(600, 10)
    assert len(list(buffer(data, max_block_bytes=1000))) == 2


def test_nothing_may_stand_inside_a_block() -> None:
    with pytest.raises(ProtocolError):
        list(buffer(continued(5, end=False) + wire(PingFrame(0, b"12345678"))))


def test_frames_are_charged_before_they_are_looked_at() -> None:
    """The budget ends in the middle of one read, and even a malformed frame has been paid for."""
    budget = GlitchBudget(0.0)
    budget.charge(glitches.LIMIT - 2 * glitches.CONTROL)
    frames = buffer(wire(PingFrame(0, b"12345678")) * 1000, budget=budget)
    next(frames)
    with pytest.raises(Misbehaviour):
        next(frames)
    assert budget.exhausted

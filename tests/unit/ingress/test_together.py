"""Messages in one write."""

from __future__ import annotations

import pytest

from edge.ingress.together import PIECE_BYTES, say_together
from edge.wire.codec import EncodeError


class Sink:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self.written.append(data)


def said(message: bytes) -> bytes:
    if message == b"bad":
        raise EncodeError("bad")
    return message + b";"


async def test_they_are_one_write() -> None:
    sink = Sink()
    await say_together(sink.write, [b"a", b"b"], said)
    assert sink.written == [b"a;b;"]


@pytest.mark.parametrize(("before", "written"), [([b"a", b"b"], [b"a;b;"]), ([], [])])
async def test_what_came_before_one_that_cannot_be_said_is_sent(before: list[bytes], written: list[bytes]) -> None:
    sink = Sink()
    with pytest.raises(EncodeError):
        await say_together(sink.write, [*before, b"bad", b"c"], said)
    assert sink.written == written


async def test_what_grows_when_said_is_several_writes() -> None:
    """A reader that stops has no more held for it than a piece and a message."""
    sink = Sink()
    await say_together(sink.write, [b"a"] * 40, lambda message: message * 1024)
    assert [len(data) for data in sink.written] == [PIECE_BYTES, PIECE_BYTES, 8 * 1024]

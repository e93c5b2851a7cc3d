"""Frames to events, with bounds; the client's side is wsproto's own."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol

from edge.core.websocket_frames import (
    PING,
    Closed,
    Event,
    FrameReader,
    Message,
    Pinged,
    Violation,
    binary_frame,
    close_frame,
    pong_frame,
    text_frame,
)


def client() -> FrameProtocol:
    return FrameProtocol(client=True, extensions=[])


def events(reader: FrameReader) -> list[Event]:
    return list(iter(reader.next, None))


def read(data: bytes, limit: int = 1000) -> list[Event]:
    reader = FrameReader(limit)
    reader.feed(data)
    return events(reader)


def test_messages_of_both_kinds() -> None:
    data = bytes(
        client().send_data("grüß") + client().send_data(b"\0\1") + client().send_data("") + client().send_data(b"")
    )
    assert read(data) == [
        Message("grüß".encode(), True),
        Message(b"\0\1", False),
        Message(b"", True),
        Message(b"", False),
    ]


@given(st.lists(st.text(max_size=300), max_size=6), st.data())
def test_however_the_bytes_and_the_fragments_are_cut(texts: list[str], data: st.DataObject) -> None:
    """The same messages, even where a cut goes through a character."""
    sender, wire = client(), b""
    for text in texts:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
        bounds = [0, *cuts, len(text)]
        for at, (start, stop) in enumerate(pairwise(bounds)):
            wire += bytes(sender.send_data(text[start:stop], fin=at == len(bounds) - 2))
    reader, found, at = FrameReader(10_000), list[Event](), 0
    while at < len(wire):
        step = data.draw(st.integers(1, 500))
        reader.feed(wire[at : at + step])
        at += step
        found += events(reader)
    assert found == [Message(text.encode(), True) for text in texts]
    assert reader.held_bytes == 0


def test_one_message_at_a_time() -> None:
    """What stands behind a message is not parsed before it is asked for: bytes are held, not objects."""
    reader = FrameReader(1000)
    reader.feed(bytes(client().send_data("x" * 500)) * 200)
    assert reader.next() == Message(b"x" * 500, True)
    assert reader.held_bytes > 80_000


def test_the_size_of_a_message_is_bounded_while_it_comes() -> None:
    sender = client()
    wire = bytes(sender.send_data("x" * 6, fin=False) + sender.send_data("y" * 5, fin=False))
    assert read(wire, 11) == []
    (violation,) = read(wire, 10)
    assert isinstance(violation, Violation)
    assert violation.code == 1009


def test_a_large_frame_is_refused_before_it_is_whole() -> None:
    (violation,) = read(bytes(client().send_data(b"x" * 100_000))[:20_000], 4096)
    assert isinstance(violation, Violation)


def test_a_flood_of_empty_texts_is_a_flood_of_frames_that_carry_nothing() -> None:
    """An empty text says that messages have ended, which need be said but once; an empty binary one may be a message."""
    assert isinstance(read(bytes(client().send_data("")) * 1001)[-1], Violation)
    assert len(read(bytes(client().send_data(b"")) * 1001)) == 1001


def test_characters_are_counted_as_bytes() -> None:
    assert isinstance(read(bytes(client().send_data("ü" * 6)), 10)[0], Violation)


def test_control_frames_between_fragments() -> None:
    sender = client()
    wire = bytes(sender.send_data("a", fin=False) + sender.ping(b"?") + sender.pong(b"!") + sender.send_data("b"))
    assert read(wire) == [Pinged(b"?"), Message(b"ab", True)]


def test_nothing_is_read_after_the_close() -> None:
    for code, told in ((1000, 1000), (4007, 4007), (None, None)):
        wire = bytes(client().close(code)) + bytes(client().send_data("late"))
        assert read(wire) == [Closed(told)]


def test_nothing_is_read_after_a_violation() -> None:
    reader = FrameReader(1000)
    reader.feed(b"\x81\x01a")  # not masked
    (violation,) = events(reader)
    assert isinstance(violation, Violation)
    assert violation.code == 1002
    reader.feed(bytes(client().send_data("late")) * 100)
    assert events(reader) == []
    assert reader.held_bytes == 0
    assert reader.over


def test_text_that_is_no_utf8() -> None:
    (violation,) = read(bytes(client().send_data(b"\xff")).replace(b"\x82", b"\x81", 1))
    assert isinstance(violation, Violation)
    assert violation.code == 1007


def test_frames_that_carry_nothing_are_counted() -> None:
    """A thousand in a row, unless time passes between them or a message comes; empty messages are messages."""
    ping = bytes(client().ping())
    assert read(ping * 1001)[-1] == Violation(1008, "too many frames that carry nothing")
    assert read((ping * 999 + bytes(client().send_data("x"))) * 2)[-1] == Message(b"x", True)
    reader = FrameReader(10)
    for _ in range(3):
        reader.feed(ping * 900)
        assert Violation not in {type(event) for event in events(reader)}
        reader.forgive()
    sender = client()
    fragments = b"".join(bytes(sender.send_data("", fin=False)) for _ in range(1002))
    assert isinstance(read(fragments)[-1], Violation)
    assert len(read(bytes(client().send_data(b"")) * 3000)) == 3000


def test_what_we_send_a_client_reads() -> None:
    receiver = client()
    receiver.receive_bytes(
        text_frame("ü" * 100) + binary_frame(b"x" * 70_000) + PING + pong_frame(b"p") + close_frame(4005, "gone")
    )
    frames = list(receiver.received_frames())
    assert frames[0].payload == "ü" * 100
    assert b"".join(frame.payload for frame in frames[1:-3] if isinstance(frame.payload, bytes)) == b"x" * 70_000
    assert [frame.payload for frame in frames[-3:]] == [b"", b"p", (4005, "gone")]

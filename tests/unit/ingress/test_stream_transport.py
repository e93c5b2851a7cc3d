"""A stream as a protocol for sockets sees it."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.service import BodyBroken
from edge.ingress.stream_transport import StreamTransport
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import turns
from tests.unit.ingress.rpc_scenes import Sink


class Told(asyncio.Protocol):
    """What the protocol was told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def data_received(self, data: bytes) -> None:
        self.events.append(data.decode())

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Mouth:
    """A body that is fed by the test; None breaks it off."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def read(self) -> bytes:
        piece = await self.pieces.get()
        if piece is None:
            raise BodyBroken(Refusal(Fault.CANCELLED))
        return piece


class Valve(Sink):
    """A sink that takes nothing while it is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, data: bytes) -> None:
        await self.open.wait()
        await super().write(data)


class Rig:
    """All of it, running."""

    def __init__(self) -> None:
        self.told, self.body, self.sink = Told(), Mouth(), Valve()
        self.transport = StreamTransport(self.told)
        self.carrying = asyncio.create_task(self.transport.carry(self.body, self.sink))

    @property
    def said(self) -> bytes:
        return b"".join(self.sink.written)

    async def over(self) -> None:
        await asyncio.wait_for(self.carrying, 5)
        assert self.transport.is_closing()


async def test_bytes_go_both_ways() -> None:
    rig = Rig()
    rig.body.pieces.put_nowait(b"question")
    await turns()
    rig.transport.write(b"ans")
    rig.transport.writelines([b"w", b"er"])
    await turns()
    assert (rig.told.events, rig.said) == (["question"], b"answer")
    rig.transport.close()
    await rig.over()
    assert (rig.sink.trailers, rig.sink.aborted) == ((), False)


async def test_what_is_not_taken_is_held_and_the_protocol_told() -> None:
    """It may go on once all of it has left; a close waits for that, too."""
    rig = Rig()
    rig.sink.open.clear()
    rig.transport.write(b"x" * QUEUE_BYTES)
    assert rig.told.events == []
    rig.transport.write(b"y")
    await turns()
    assert rig.told.events == ["pause"]
    assert rig.transport.get_write_buffer_size() == QUEUE_BYTES + 1
    rig.transport.close()
    rig.transport.write(b"after the close")
    await turns()
    assert not rig.carrying.done()
    rig.sink.open.set()
    await rig.over()
    assert rig.told.events == ["pause", "resume"]
    assert rig.said == b"x" * QUEUE_BYTES + b"y"
    assert rig.transport.get_write_buffer_size() == 0


async def test_a_protocol_that_does_not_read_is_not_fed() -> None:
    """What is not read stays in the stream, whose window then shuts."""
    rig = Rig()
    await turns()
    rig.transport.pause_reading()
    for piece in (b"a", b"b", b"c"):
        rig.body.pieces.put_nowait(piece)
    await turns()
    assert rig.told.events == ["a"]  # the read that waited already
    rig.transport.resume_reading()
    await turns()
    assert rig.told.events == ["a", "b", "c"]
    rig.transport.abort()
    await rig.over()


@pytest.mark.parametrize("end", [b"", None])
async def test_a_client_that_ends_or_breaks_off_is_gone(end: bytes | None) -> None:
    """As on a socket; what was written before is still sent."""
    rig = Rig()
    rig.sink.open.clear()
    rig.transport.write(b"last words")
    rig.body.pieces.put_nowait(end)
    await turns()
    assert rig.transport.is_closing()
    rig.sink.open.set()
    await rig.over()
    assert (rig.said, rig.sink.trailers) == (b"last words", ())


async def test_our_side_may_end_alone() -> None:
    """Then the client is still heard."""
    rig = Rig()
    assert rig.transport.can_write_eof()
    rig.transport.write(b"end")
    rig.transport.write_eof()
    rig.transport.write(b"more")
    await turns()
    assert (rig.said, rig.sink.trailers) == (b"end", ())
    rig.body.pieces.put_nowait(b"heard")
    await turns()
    assert rig.told.events == ["heard"]
    rig.transport.close()
    await rig.over()


async def test_an_abort_is_an_abort() -> None:
    """Nothing that waits is sent."""
    rig = Rig()
    rig.sink.open.clear()
    rig.transport.write(b"x")
    rig.transport.abort()
    await rig.over()
    assert (rig.said, rig.sink.aborted, rig.sink.trailers) == (b"", True, None)


async def test_a_stream_that_is_reset_leaves_no_task() -> None:
    """Its cancellation is passed on."""
    rig = Rig()
    await turns()
    rig.carrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rig.carrying
    assert rig.transport.is_closing()


async def test_a_protocol_that_fails_ends_its_stream() -> None:
    """A bug costs its connection, as on a socket: it must not leave one that hears nothing any more."""

    class Broken(Told):
        def data_received(self, data: bytes) -> None:
            raise ValueError

    rig = Rig()
    rig.transport.set_protocol(Broken())
    with structlog.testing.capture_logs() as logs:
        rig.body.pieces.put_nowait(b"x")
        await rig.over()
    assert rig.sink.aborted
    assert [entry["event"] for entry in logs] == ["a protocol failed at what came on its stream"]

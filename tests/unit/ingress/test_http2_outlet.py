"""Streams that send in turn, with a transport that says when it is full."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from edge.ingress.http2_outlet import Outlet
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import Role
from tests.unit.ingress.doubles import FakeTransport, run, turns


@dataclass
class Chunks:
    """A stream with so many chunks to send, and as much window."""

    id: int
    left: int
    log: list[int]
    window: int = 100

    def push(self) -> bool:
        if not (self.left and self.window):
            return False
        self.left -= 1
        self.window -= 1
        self.log.append(self.id)
        return True

    @property
    def pending(self) -> bool:
        return self.left > 0


class Scene:
    def __init__(self) -> None:
        self.log: list[int] = []
        self.turned = 0
        self.session = PortableH2Session(Role.SERVER)
        self.transport = FakeTransport(asyncio.Protocol())
        self.outlet = Outlet(self.session, self.transport, asyncio.get_running_loop(), self.count)

    def count(self) -> None:
        self.turned += 1

    def stream(self, stream: int, chunks: int, window: int = 100) -> Chunks:
        made = Chunks(stream, chunks, self.log, window)
        self.outlet.ready(made)
        return made


def test_streams_send_a_chunk_each_in_turn() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.stream(1, 3)
        scene.stream(3, 2)
        scene.stream(5, 1)
        await turns()
        assert scene.log == [1, 1, 3, 5, 1, 3]
        assert scene.turned == 1

    run(scenario())


def test_while_paused_nothing_is_sent() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.outlet.paused = True
        stream = scene.stream(1, 2)
        await turns()
        assert scene.log == []
        scene.outlet.paused = False
        scene.outlet.take_turn()
        assert scene.log == [1, 1]
        assert not stream.pending

    run(scenario())


def test_a_stream_without_a_window_waits_until_it_is_queued_again() -> None:
    async def scenario() -> None:
        scene = Scene()
        stream = scene.stream(1, 3, window=1)
        await turns()
        assert scene.log == [1]
        stream.window = 5
        scene.outlet.take_turn()
        assert scene.log == [1]
        scene.outlet.queue(stream)
        scene.outlet.take_turn()
        assert scene.log == [1, 1, 1]

    run(scenario())


def test_forgotten_streams_send_no_more() -> None:
    async def scenario() -> None:
        scene = Scene()
        first, _ = scene.stream(1, 2), scene.stream(3, 2)
        scene.outlet.forget(first)
        await turns()
        assert scene.log == [1, 3, 3]
        scene.stream(5, 2)
        scene.outlet.clear()
        await turns()
        assert scene.log == [1, 3, 3, 5]

    run(scenario())


def test_one_turn_writes_what_the_session_has_once() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.outlet.flush_soon()
        scene.outlet.flush_soon()
        await turns()
        assert scene.transport.out
        assert scene.turned == 1
        scene.session.ping(b"12345678")
        scene.transport.close()
        size = len(scene.transport.out)
        scene.outlet.flush()
        assert len(scene.transport.out) == size
        assert scene.session.take() == b""

    run(scenario())


def test_a_stalled_reader_has_taken_nothing_since_the_watch() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.transport.unsent = 10
        scene.outlet.watch()
        assert scene.outlet.stalled()
        scene.transport.unsent = 9
        assert not scene.outlet.stalled()

    run(scenario())

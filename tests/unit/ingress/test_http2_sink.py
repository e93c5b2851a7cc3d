"""A streamed answer: the order in which it must be made, and the wait for a slow reader."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http2_outgoing import Outgoing
from edge.ingress.http2_sink import LeavingAnswer
from edge.wire.http1 import UnsafeFieldError
from tests.unit.ingress.doubles import run


class Scene:
    """A sink whose `ready` sends all of it while `open`."""

    def __init__(self, *, head_only: bool = False) -> None:
        self.outgoing = Outgoing()
        self.pushes = self.resets = 0
        self.open = True
        loop = asyncio.get_running_loop()
        self.sink = LeavingAnswer(self.outgoing, self.ready, self.reset, loop, head_only=head_only)

    def ready(self) -> None:
        self.pushes += 1
        if self.open:
            self.outgoing._data = b""
            self.outgoing._head = None

    def reset(self) -> None:
        self.resets += 1


def test_out_of_order_is_a_bug() -> None:
    async def scenario() -> None:
        scene = Scene()
        with pytest.raises(RuntimeError):
            await scene.sink.write(b"x")
        with pytest.raises(RuntimeError):
            scene.sink.end()
        scene.sink.start(200, ())
        with pytest.raises(RuntimeError):
            scene.sink.start(200, ())
        scene.sink.end()
        with pytest.raises(RuntimeError):
            await scene.sink.write(b"x")
        scene.sink.abort()
        assert scene.resets == 0

    run(scenario())


def test_a_write_returns_when_all_is_taken() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.sink.start(200, ())
        await scene.sink.write(b"x")
        scene.open = False
        writing = asyncio.ensure_future(scene.sink.write(b"y"))
        await asyncio.sleep(0)
        scene.sink.drained()  # woken, but it was not all
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not writing.done()
        scene.open = True
        scene.ready()
        scene.sink.drained()
        await writing

    run(scenario())


def test_a_length_is_kept_or_the_stream_reset() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.sink.start(200, ((b"content-length", b"3"),))
        await scene.sink.write(b"ab")
        with pytest.raises(RuntimeError):
            await scene.sink.write(b"cd")
        scene.sink.end()
        assert scene.resets == 1

    run(scenario())


def test_a_head_only_answer_sends_no_body_and_needs_none() -> None:
    async def scenario() -> None:
        scene = Scene(head_only=True)
        scene.sink.start(200, ((b"content-length", b"3"),))
        pushes = scene.pushes
        await scene.sink.write(b"abc")
        assert scene.pushes == pushes
        scene.sink.end()
        assert scene.resets == 0

    run(scenario())


def test_unsafe_fields_do_not_start() -> None:
    async def scenario() -> None:
        scene = Scene()
        with pytest.raises(UnsafeFieldError):
            scene.sink.start(200, ((b"x", b"\n"),))
        assert scene.pushes == 0
        assert not scene.sink.started

    run(scenario())

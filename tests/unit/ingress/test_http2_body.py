"""A streamed body: what is read is acknowledged, what is not stays owed, and an end is an end."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http2_body import ArrivingBody
from edge.ingress.service import BodyBroken
from edge.outcome import Fault, Refusal
from tests.unit.ingress.doubles import run


class Scene:
    def __init__(self, limit: int | None = None) -> None:
        self.paid: list[int] = []
        self.body = ArrivingBody(self.paid.append, limit, asyncio.get_running_loop())


def test_only_what_was_read_is_acknowledged_padding_included() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.body.feed(b"ab", 10, end=False)
        scene.body.feed(b"c", 1, end=False)
        assert scene.paid == []
        assert await scene.body.read() == b"abc"
        assert scene.paid == [11]

    run(scenario())


def test_padding_alone_is_acknowledged_at_once() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.body.feed(b"", 9, end=False)
        assert scene.paid == [9]

    run(scenario())


def test_a_reader_waits_and_the_end_is_empty_for_ever() -> None:
    async def scenario() -> None:
        scene = Scene()
        reading = asyncio.ensure_future(scene.body.read())
        await asyncio.sleep(0)
        assert not reading.done()
        scene.body.feed(b"x", 1, end=True)
        assert await reading == b"x"
        assert await scene.body.read() == b""
        assert await scene.body.read() == b""

    run(scenario())


@pytest.mark.parametrize("waiting", [True, False])
def test_broken_it_raises_the_first_reason_and_owes_nothing(waiting: bool) -> None:
    async def scenario() -> None:
        scene = Scene()
        reading = asyncio.ensure_future(scene.body.read()) if waiting else None
        await asyncio.sleep(0)
        if not waiting:
            scene.body.feed(b"unread", 6, end=False)
        scene.body.broke(Refusal(Fault.REQUEST_TIMEOUT))
        scene.body.broke(Refusal(Fault.CANCELLED))
        scene.body.feed(b"more", 4, end=False)
        with pytest.raises(BodyBroken) as caught:
            await (reading or scene.body.read())
        assert caught.value.refusal.fault is Fault.REQUEST_TIMEOUT
        assert sum(scene.paid) == (4 if waiting else 10)

    run(scenario())


def test_over_its_limit_it_breaks_off() -> None:
    async def scenario() -> None:
        scene = Scene(limit=3)
        scene.body.feed(b"abc", 3, end=False)
        scene.body.feed(b"d", 1, end=True)
        assert scene.paid == [4]
        with pytest.raises(BodyBroken) as caught:
            await scene.body.read()
        assert caught.value.refusal.fault is Fault.BODY_TOO_LARGE

    run(scenario())

"""A body read while it arrives."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.http1_body import ArrivingBody
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import BodyBroken
from edge.outcome import Fault, Refusal
from edge.wire.portable.http1_reader import PortableRequestReader as RequestReader
from tests.unit.ingress.doubles import turns

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"


class Arriving:
    """A reader that has read a head, its body, and how often more was wanted."""

    def __init__(self) -> None:
        self.reader = RequestReader(Http1Limits())
        self.reader.max_body_bytes = None
        self.reader.feed(HEAD, 0)
        self.wanted = 0
        self.body = ArrivingBody(self.reader, self._count, asyncio.get_running_loop())

    def _count(self) -> None:
        self.wanted += 1

    def feed(self, data: bytes) -> None:
        self.reader.feed(data, 0)
        self.body.arrived()


async def test_pieces_as_they_come_then_nothing() -> None:
    arriving = Arriving()
    reading = asyncio.create_task(arriving.body.read())
    await turns()
    assert not reading.done()
    arriving.feed(b"ab")
    assert await reading == b"ab"
    arriving.feed(b"cd")
    assert [await arriving.body.read() for _ in range(3)] == [b"cd", b"", b""]


async def test_each_read_lets_the_client_send() -> None:
    arriving = Arriving()
    assert arriving.wanted == 0
    arriving.feed(b"abcd")
    await arriving.body.read()
    assert arriving.wanted == 1


async def test_a_broken_body_says_why_and_gives_no_more() -> None:
    """The first reason stays: what came after it came of it."""
    arriving = Arriving()
    reading = asyncio.create_task(arriving.body.read())
    await turns()
    arriving.body.broke(Refusal(Fault.REQUEST_TIMEOUT))
    with pytest.raises(BodyBroken) as caught:
        await reading
    assert caught.value.refusal.fault is Fault.REQUEST_TIMEOUT
    arriving.body.broke(Refusal(Fault.CANCELLED))
    arriving.feed(b"ab")
    with pytest.raises(BodyBroken) as caught:
        await arriving.body.read()
    assert caught.value.refusal.fault is Fault.REQUEST_TIMEOUT

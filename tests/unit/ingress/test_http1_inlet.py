"""What is kept before its turn, and when the socket is left alone."""

from __future__ import annotations

import asyncio

from edge.ingress.http1_inlet import Inlet
from edge.ingress.http1_limits import QUEUE_BYTES
from tests.unit.ingress.doubles import FakeTransport


def test_the_socket_is_not_read_past_the_bound() -> None:
    transport = FakeTransport(asyncio.Protocol())
    inlet = Inlet(transport)
    inlet.keep(bytes(QUEUE_BYTES))
    assert not transport.reading_paused
    inlet.keep(b"x")
    inlet.keep(b"y")
    assert transport.reading_paused
    assert transport.pauses == 1


def test_it_is_read_again_once_there_is_room() -> None:
    transport = FakeTransport(asyncio.Protocol())
    inlet = Inlet(transport)
    inlet.keep(bytes(QUEUE_BYTES + 1))
    inlet.resume()
    assert transport.reading_paused
    inlet.take()
    inlet.resume()
    assert not transport.reading_paused

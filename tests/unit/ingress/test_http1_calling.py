"""What becomes of a head: a call, an early answer; and what a call is told when its client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from edge.ingress.service import Answer, Head
from tests.unit.ingress.doubles import Recorder, Wire, run, turns
from tests.unit.ingress.http1_wire import GET, POST, early, forever


def test_an_early_answer_keeps_the_connection_when_the_body_is_small() -> None:
    """The refused body passes by; the next request is served."""

    async def scenario() -> None:
        wire = Wire(Recorder(begin_with=early()))
        await wire.send(POST[:-2])
        assert wire.out == b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nearly"
        await wire.send(POST[-2:] + GET)
        assert [head.method for head in wire.service.heads] == ["POST", "GET"]
        assert not wire.transport.closed
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_an_early_answer_ends_the_connection_when_the_body_could_be_long_or_absent(sent: bytes) -> None:
    async def scenario() -> None:
        wire = await Wire(Recorder(begin_with=early())).send(sent, GET)
        assert wire.out == b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\nearly"
        assert wire.transport.eof
        await wire.hang_up()

    run(scenario())


def test_an_unsound_head_is_told_for_the_log() -> None:
    async def scenario() -> None:
        wire = await Wire().send(b"GET /a?b HTTP/1.1\r\n\r\n")
        (head,) = wire.service.refused_heads
        assert head is not None
        assert (head.method, head.path, head.query, head.peer) == ("GET", "/a", "b", "192.0.2.1")
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_body_over_the_limit_is_abandoned_however_it_comes(pieces: int) -> None:
    """With its head or behind it: no call gets it."""

    async def scenario() -> None:
        wire = await Wire(Recorder(max_body_bytes=4)).send(*((POST,) if pieces == 1 else (POST[:-5], POST[-5:])))
        assert wire.out.startswith(b"HTTP/1.1 413 ")
        assert wire.service.calls[0].events == ["abandon BODY_TOO_LARGE", "sent 14"]
        await wire.hang_up()

    run(scenario())


def test_a_client_that_goes_away_cancels_its_call() -> None:
    async def scenario() -> None:
        wire = await Wire(Recorder(finish_with=forever)).send(GET)
        await wire.hang_up()
        assert wire.service.calls[0].events == ["finish", "cancelled", "sent 0"]
        assert len(wire.connections) == 0

    run(scenario())


def test_a_client_that_goes_away_in_the_turn_in_which_its_call_began() -> None:
    """One that has answered is settled as it is; one that has not is cancelled, however early."""

    async def scenario() -> None:
        wire = Wire()
        wire.protocol.data_received(GET)
        wire.protocol.connection_lost(None)
        assert wire.service.calls[0].events == ["finish", "sent 9"]
        wire = Wire(Recorder(finish_with=forever))
        wire.protocol.data_received(GET)
        wire.protocol.connection_lost(None)
        await turns()
        assert wire.service.calls[0].events == ["finish", "cancelled", "sent 0"]
        assert len(wire.connections) == 0

    run(scenario())


def test_a_client_that_goes_away_in_its_body() -> None:
    async def scenario() -> None:
        wire = await Wire().send(POST[:-1])
        await wire.hang_up()
        assert wire.service.calls[0].events == ["abandon CANCELLED", "sent 0"]

    run(scenario())


def test_a_call_that_outlives_its_cancellation_is_still_settled_once() -> None:
    async def scenario() -> None:
        async def stubborn(head: Head, body: bytes) -> Answer:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(1)
            return Answer(200)

        wire = await Wire(Recorder(finish_with=stubborn)).send(GET)
        await wire.hang_up()
        assert len(wire.connections) == 1  # its task still runs
        await asyncio.sleep(2)
        assert wire.service.calls[0].events == ["finish", "sent 0"]
        assert len(wire.connections) == 0

    run(scenario())


def test_a_crashing_call_is_answered_and_settled() -> None:
    async def scenario() -> None:
        def crash(head: Head, body: bytes) -> Awaitable[Answer]:
            raise ZeroDivisionError

        wire = await Wire(Recorder(finish_with=crash)).send(GET)
        assert wire.out.startswith(b"HTTP/1.1 500 ")
        assert wire.service.calls[0].events == ["finish", "sent 8"]
        assert not wire.transport.closed
        await wire.hang_up()

    run(scenario())


def test_a_field_with_a_line_break_never_leaves() -> None:
    async def scenario() -> None:
        wire = Wire(Recorder(begin_with=lambda head: Answer(200, ((b"x", b"a\r\nset-cookie: b"),))))
        await wire.send(GET)
        assert wire.out.startswith(b"HTTP/1.1 500 ")
        assert b"set-cookie" not in wire.out
        await wire.hang_up()

    run(scenario())


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_call_may_take_longer_than_its_client_may(pieces: int) -> None:
    """What the client had until some time was to send its request: once it has, no deadline of its runs."""

    async def long(head: Head, body: bytes) -> Answer:
        await asyncio.sleep(100)
        return Answer(200, (), b"late")

    async def scenario() -> None:
        wire = Wire(Recorder(finish_with=long))
        await wire.send(*((POST,) if pieces == 1 else (POST[:-5], POST[-5:])))
        await asyncio.sleep(101)
        assert wire.out.endswith(b"\r\n\r\nlate")
        assert not wire.transport.closed
        await wire.hang_up()

    run(scenario())

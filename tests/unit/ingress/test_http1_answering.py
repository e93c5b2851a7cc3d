"""After an answer: the next request, a slow reader, the end of the connection."""

from __future__ import annotations

import asyncio

import pytest

from edge.ingress.connections import Connections, ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.service import Answer, Head
from tests.unit.ingress.doubles import Recorder, Wire, run, turns
from tests.unit.ingress.http1_wire import CLOSE, GET, POST, early, forever, ok, refused


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    async def scenario() -> None:
        wire = await Wire(Recorder(begin_with=early(status))).send(GET)
        assert wire.out.endswith(b"\r\n\r\n")
        assert b"content-length" not in wire.out
        await wire.hang_up()

    run(scenario())


def test_early_answers_nobody_reads_stop_the_next_request() -> None:
    """Also those whose request has a body to pass over: a client that sends on and never reads must not fill our memory."""

    async def scenario() -> None:
        wire = Wire(Recorder(begin_with=lambda _: Answer(404, (), bytes(2000))), stuck=True)
        for _ in range(20):
            await wire.send(b"POST /n HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" * 100)
            await turns(120)
        assert wire.transport.unsent < 65536 + 5000
        assert wire.transport.reading_paused
        wire.transport.stuck = False
        wire.transport.take(wire.transport.unsent)
        await turns(3000)
        assert len(wire.service.heads) == 2000
        await wire.hang_up()

    run(scenario())


def test_deadlines() -> None:
    """Each phase has its own; in virtual time their ends are exact."""

    async def scenario() -> None:
        limits = Http1Limits(header_timeout_s=10, body_timeout_s=30, idle_timeout_s=60)

        async def closed_after(*pieces: bytes) -> tuple[float, bytes]:
            wire = await Wire(limits=limits).send(*pieces)
            start, answered = asyncio.get_running_loop().time(), len(wire.out)
            while not (wire.transport.closed or wire.transport.eof):
                await asyncio.sleep(0.5)
            passed = asyncio.get_running_loop().time() - start
            await wire.hang_up()
            return round(passed), wire.out[answered:]

        timeout = refused(b"408 Request Timeout", b"REQUEST_TIMEOUT")
        assert await closed_after() == (10, b"")
        assert await closed_after(b"GET / HT") == (10, timeout)
        assert await closed_after(b"\r\n") == (10, b"")
        assert await closed_after(POST[:-1]) == (30, timeout)
        assert await closed_after(GET) == (60, b"")
        assert await closed_after(GET, b"GET / HTTP/1.1\r\n") == (10, timeout)

    run(scenario())


def test_a_slow_head_is_timed_from_its_first_byte() -> None:
    async def scenario() -> None:
        wire = Wire()
        await wire.send(b"G")
        await asyncio.sleep(1)
        for byte in b"ET / HTTP/1.1\r\nX: yyyyyyy":
            if wire.transport.eof:
                break
            await wire.send(bytes((byte,)))
            await asyncio.sleep(1)
        assert wire.transport.eof
        assert wire.service.refusals[0].fault.name == "REQUEST_TIMEOUT"
        await wire.hang_up()

    run(scenario())


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    """The call is settled when the transport has taken the answer, or when it is known that it never will."""

    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), 200_000 * b"x")

        wire = await Wire(Recorder(finish_with=large), stuck=True).send(GET, GET)
        call = wire.service.calls[0]
        assert len(wire.service.calls) == 1  # the next request waits for the reader
        assert call.events == ["finish"]
        await asyncio.sleep(29)
        wire.transport.take(50_000)
        await asyncio.sleep(29)
        assert not wire.transport.lost  # it took something
        await asyncio.sleep(32)
        assert wire.transport.lost
        assert call.events == ["finish", "sent 200000"]

    run(scenario())


def test_a_slow_reader_gets_the_next_answer_when_it_has_taken_this_one() -> None:
    async def scenario() -> None:
        async def large(head: Head, body: bytes) -> Answer:
            return Answer(200, (), 200_000 * b"x")

        wire = await Wire(Recorder(finish_with=large), stuck=True).send(GET, GET)
        wire.transport.stuck = False
        wire.transport.take(wire.transport.unsent)
        await turns()
        assert [call.events for call in wire.service.calls] == [["finish", "sent 200000"]] * 2
        await wire.hang_up()

    run(scenario())


def test_an_answer_that_never_drains_does_not_keep_a_closing_connection() -> None:
    async def scenario() -> None:
        wire = await Wire(stuck=True).send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.transport.closed
        assert not wire.transport.lost
        await asyncio.sleep(31)
        assert wire.transport.lost

    run(scenario())


def test_a_refused_client_is_given_time_to_read_but_not_for_ever() -> None:
    """Its remaining bytes are dropped, unread bytes would reset the connection under the answer."""

    async def scenario() -> None:
        wire = await Wire().send(b"BAD\r\n\r\n", 1000 * b"x")
        assert wire.transport.eof
        assert not wire.transport.closed
        await asyncio.sleep(6)
        assert wire.transport.lost

    run(scenario())


def test_over_the_connection_limit() -> None:
    """Past it a client is told so; far past it, it is not even told."""

    async def scenario() -> None:
        connections = Connections(ConnectionSlots(1))
        wires = [Wire(connections=connections) for _ in range(20)]
        await turns()
        assert wires[0].out == b""
        assert wires[1].out == refused(b"503 Service Unavailable", b"OVERLOADED")
        assert wires[-1].transport.lost
        assert wires[-1].out == b""
        for wire in wires:
            await wire.hang_up()
        assert len(connections) == 0
        wire = await Wire(connections=connections).send(GET)
        assert wire.out == ok(b"GET /a?b ")
        await wire.hang_up()

    run(scenario())


def test_draining() -> None:
    """Idle connections close, a running request finishes with `Connection: close`, what does not end is cut."""

    async def scenario() -> None:
        connections = Connections(ConnectionSlots(10))
        gate = asyncio.Event()

        async def finish(head: Head, body: bytes) -> Answer:
            await gate.wait()
            return Answer(200)

        idle = await Wire(connections=connections).send(GET)
        busy = await Wire(Recorder(finish_with=finish), connections=connections).send(GET)
        stuck = await Wire(Recorder(finish_with=forever), connections=connections).send(GET)
        draining = asyncio.create_task(connections.drain(20))
        await turns()
        assert idle.transport.lost
        gate.set()
        await turns()
        assert busy.out == ok(b"", CLOSE)
        await draining
        assert stuck.service.calls[0].events == ["finish", "cancelled", "sent 0"]
        assert len(connections) == 0

    run(scenario())

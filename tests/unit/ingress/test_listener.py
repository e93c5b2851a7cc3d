"""A listener over real sockets, on both event loops, alone and as one of several workers that take from one queue."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest
import uvloop

from edge.core.fair_share import AWAY, WorkerShare
from edge.ingress.connections import ConnectionSlots
from edge.ingress.http1_limits import Http1Limits
from edge.ingress.listener import Listener
from edge.ingress.service import Answer, Head
from tests.unit.ingress.doubles import Recorder, without_date

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
Scenario = Callable[[], Coroutine[Any, Any, None]]
SHARED = ContextVar("SHARED", default=False)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def runner(loop: str, *, shared: bool) -> Callable[[Scenario], None]:
    def run(scenario: Scenario) -> None:
        async def checked() -> None:
            SHARED.set(shared)
            await scenario()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with asyncio.Runner(loop_factory=LOOPS[loop]) as held:
            held.run(checked())

    return run


@pytest.fixture(params=[(loop, shared) for loop in LOOPS for shared in (False, True)], ids=str)
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    loop, shared = request.param
    return runner(loop, shared=shared)


@pytest.fixture(params=LOOPS)
def run_shared(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    return runner(request.param, shared=True)


async def listening(service: Recorder, limit: int = 10, tls: ssl.SSLContext | None = None) -> tuple[Listener, int]:
    sock = socket.create_server(("127.0.0.1", 0))
    share = WorkerShare([AWAY, AWAY], 0) if SHARED.get() else None
    listener = Listener(service, Http1Limits(), ConnectionSlots(limit, share), tls)
    port = sock.getsockname()[1]
    await listener.start(sock)
    return listener, port


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return without_date(head + await reader.readexactly(size))


def test_serves_and_counts(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        listener, port = await listening(Recorder())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(GET)
            assert await read_answer(reader) == b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nGET /? "
        assert listener.connections == 1
        writer.close()
        await until(lambda: listener.connections == 0)
        await listener.drain(1)

    run(scenario)


def test_drain_closes_the_idle_finishes_the_busy_and_cuts_the_stuck(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def finish(head: Head, body: bytes) -> Answer:
            await (gate.wait() if head.path == "/busy" else asyncio.Event().wait())
            return Answer(200)

        service = Recorder(finish_with=finish)
        listener, port = await listening(service)
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        streams[1][1].write(b"GET /busy HTTP/1.1\r\nHost: a\r\n\r\n")
        streams[2][1].write(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: len(service.calls) == 2 and listener.connections == 3)
        draining = asyncio.create_task(listener.drain(0.3))
        assert await streams[0][0].read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        gate.set()
        assert b"connection: close" in await read_answer(streams[1][0])
        streams[1][1].close()
        await draining
        assert listener.connections == 0
        assert [call.events[-1] for call in service.calls] == ["sent 0", "sent 0"]
        for _, writer in streams:
            writer.close()

    run(scenario)


def test_a_refused_upload_can_read_its_answer(run: Callable[[Scenario], None]) -> None:
    """A client that sends all of a body too large still reads the 413: the connection lingers instead of resetting."""

    async def scenario() -> None:
        listener, port = await listening(Recorder())
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000))
            await writer.drain()
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 413 ")
            writer.close()
        await listener.drain(5)

    run(scenario)


def test_a_client_that_closes_cancels_its_call(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async def finish(head: Head, body: bytes) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        service = Recorder(finish_with=finish)
        listener, port = await listening(service)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await until(lambda: bool(service.calls) and bool(service.calls[0].events))
        writer.close()
        await until(lambda: listener.connections == 0)
        assert service.calls[0].events == ["finish", "cancelled", "sent 0"]
        await listener.drain(1)

    run(scenario)


def test_a_reader_that_stops_is_noticed_by_the_transport(run: Callable[[Scenario], None]) -> None:
    """The call is settled only when most of a large answer has been taken."""

    async def scenario() -> None:
        size = 20_000_000

        async def finish(head: Head, body: bytes) -> Answer:
            return Answer(200, (), bytes(size))

        service = Recorder(finish_with=finish)
        listener, port = await listening(service)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
        writer.write(GET + GET)
        await until(lambda: bool(service.calls) and bool(service.calls[0].events))
        await asyncio.sleep(0.05)
        assert service.calls[0].events == ["finish"]
        assert len((await read_answer(reader)).split(b"\r\n\r\n", 1)[1]) == size
        await read_answer(reader)
        assert [call.events for call in service.calls] == [["finish", f"sent {size}"]] * 2
        writer.close()
        await listener.drain(5)

    run(scenario)


def test_the_limit_is_told(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        listener, port = await listening(Recorder(), limit=1)
        first, first_writer = await asyncio.open_connection("127.0.0.1", port)
        first_writer.write(GET)
        await read_answer(first)
        second, second_writer = await asyncio.open_connection("127.0.0.1", port)
        second_writer.write(GET)
        assert (await read_answer(second)).startswith(b"HTTP/1.1 503 ")
        assert await second.read() == b""
        for writer in (first_writer, second_writer):
            writer.close()
        await listener.drain(5)

    run(scenario)


def test_a_handshake_that_stalls_does_not_outlast_a_drain(run: Callable[[Scenario], None]) -> None:
    """Its own time limit may be longer; the client has said nothing yet, so nothing is lost."""

    async def scenario() -> None:
        listener, port = await listening(Recorder(), tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)  # it is accepted by then, or is in the queue: as well
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await listener.drain(0.2)
        assert loop.time() - began_s < Http1Limits().header_timeout_s / 2
        writer.close()
        await until(lambda: len(asyncio.all_tasks()) == 1)  # asyncio's own server has not let go of it

    run(scenario)


@pytest.mark.parametrize("timeout_s", [0.0, 5.0])
def test_who_was_in_the_queue_of_a_worker_is_let_go_by_a_drain(
    run_shared: Callable[[Scenario], None], timeout_s: float
) -> None:
    """They are connected, as far as they know; those that ask soon are answered, where there is time for it."""

    async def scenario() -> None:
        listener, port = await listening(Recorder())
        streams = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]  # the loop has not heard of them
        draining = asyncio.create_task(listener.drain(timeout_s))
        await asyncio.sleep(0.02)
        for stream in streams if timeout_s else ():
            reader, writer = await asyncio.open_connection(sock=stream)
            writer.write(GET)
            assert b"connection: close" in await read_answer(reader)
            writer.close()
        async with asyncio.timeout(5):
            await draining
        assert listener.connections == 0
        for stream in streams:
            stream.close()

    run_shared(scenario)


class Noting(list[int]):
    """What workers hold, and the most that was ever said."""

    most = 0

    def __setitem__(self, worker: Any, count: Any) -> None:
        super().__setitem__(worker, count)
        self.most = max(self.most, count)


def test_a_connection_is_counted_once_while_it_is_made(run_shared: Callable[[Scenario], None]) -> None:
    """Other workers look at the number in just that moment."""

    async def scenario() -> None:
        held = Noting([AWAY, AWAY])
        sock = socket.create_server(("127.0.0.1", 0))
        streams = [socket.create_connection(sock.getsockname()) for _ in range(8)]
        listener = Listener(Recorder(), Http1Limits(), ConnectionSlots(100, WorkerShare(held, 0)))
        await listener.start(sock)
        await until(lambda: listener.connections == 8)
        await asyncio.sleep(0.01)
        assert (held[0], held.most) == (8, 8)
        for stream in streams:
            stream.close()
        await until(lambda: held[0] == 0)
        await listener.drain(1)

    run_shared(scenario)

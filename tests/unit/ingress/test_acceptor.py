"""Workers that take from one queue, here as acceptors of one process: who takes what, and that nobody in the queue is lost."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from edge.core.fair_share import AWAY, WorkerShare
from edge.ingress import acceptor
from edge.ingress.acceptor import Acceptor, waiting
from edge.ingress.connections import ConnectionSlots

Scenario = Callable[[], Coroutine[Any, Any, None]]
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    def runner(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as held:
            held.run(scenario())

    return runner


class Worker:
    """One that keeps every connection it takes."""

    def __init__(self, queue: socket.socket, held: list[int], mine: int) -> None:
        self.taken: list[socket.socket] = []
        self.slots = ConnectionSlots(1000, WorkerShare(held, mine))
        assert self.slots.share is not None
        self.acceptor = Acceptor(queue.dup(), self.connect, self.slots, self.slots.share)

    async def connect(self, sock: socket.socket) -> None:
        self.taken.append(sock)
        self.slots.take()

    async def end(self) -> None:
        self.acceptor.close()
        await self.acceptor.wait_closed()
        for sock in self.taken:
            sock.close()


class Clients:
    """A queue, and those who come to it. Connected at once: the kernel does that, whoever accepts."""

    def __init__(self) -> None:
        self.queue = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.queue.setblocking(False)
        self.socks: list[socket.socket] = []

    def come(self, count: int) -> None:
        self.socks += [socket.create_connection(self.queue.getsockname()) for _ in range(count)]

    def close(self) -> None:
        for sock in (*self.socks, self.queue):
            sock.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_the_length_of_a_queue_is_known() -> None:
    clients = Clients()
    assert waiting(clients.queue) == 0
    clients.come(3)
    assert waiting(clients.queue) == 3
    clients.close()


@pytest.mark.parametrize("told", [None, 0])
def test_a_system_that_does_not_tell_the_length_is_asked_one_by_one(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch, told: int | None
) -> None:
    """It has no such option, or fills it in for connections only."""
    if told is None:
        monkeypatch.delattr(socket, "TCP_INFO")
    else:
        monkeypatch.setattr(acceptor, "waiting", lambda sock: told)

    async def scenario() -> None:
        clients, held = Clients(), [AWAY, AWAY]
        workers = [Worker(clients.queue, held, mine) for mine in range(2)]
        clients.come(10)
        await until(lambda: sum(held) == 10)
        assert min(held) >= 4
        for worker in workers:
            await worker.end()
        clients.close()

    run(scenario)


def test_those_who_come_together_are_dealt_out_evenly(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        clients, held = Clients(), [AWAY] * 3
        workers = [Worker(clients.queue, held, mine) for mine in range(3)]
        clients.come(30)
        await until(lambda: sum(held) == 30)
        assert held == [10, 10, 10]
        clients.come(2)
        await until(lambda: sum(held) == 32)
        assert sorted(held) == [10, 11, 11]
        for worker in workers:
            await worker.end()
        assert held == [AWAY] * 3
        clients.close()

    run(scenario)


def test_what_a_busy_worker_leaves_is_taken_by_another(run: Callable[[Scenario], None]) -> None:
    """One says that it holds nothing and takes nothing, as a worker does whose loop is busy, or that was stopped."""

    async def scenario() -> None:
        clients, held = Clients(), [0, AWAY]
        worker = Worker(clients.queue, held, 1)
        clients.come(10)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await until(lambda: held[1] >= 5)
        await until(lambda: held[1] == 10)
        assert loop.time() - began_s >= acceptor.PATIENCE_S
        await worker.end()
        clients.close()

    run(scenario)


def test_it_looks_away_only_from_those_that_nobody_takes(run: Callable[[Scenario], None]) -> None:
    """Others take theirs at once here, in this worker's stead: there is no reason to look away, however many they take."""

    async def scenario() -> None:
        clients, held = Clients(), [0, AWAY]
        worker = Worker(clients.queue, held, 1)
        worker.slots.take()  # it holds more than the others
        for _ in range(2 * acceptor._LOOKS):
            clients.come(1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            clients.queue.accept()[0].close()
            assert worker.acceptor._resuming is None
            await asyncio.sleep(2 * acceptor.PATIENCE_S)
            assert worker.acceptor._looks == 0
        assert worker.taken == []
        await worker.end()
        worker.acceptor.close()  # twice is once
        clients.close()

    run(scenario)


def test_a_worker_in_long_turns_takes_what_a_stopped_one_leaves(run: Callable[[Scenario], None]) -> None:
    """However seldom it comes to look at the queue."""

    async def scenario() -> None:
        clients, held = Clients(), [0, AWAY]
        worker = Worker(clients.queue, held, 1)
        worker.slots.take()  # it holds more than the one that is stopped
        clients.come(3)
        async with asyncio.timeout(20):
            while len(worker.taken) < 3:
                time.sleep(2 * acceptor.PATIENCE_S)
                await asyncio.sleep(0)
        await worker.end()
        clients.close()

    run(scenario)


def test_who_is_in_the_queue_at_the_end_is_taken(run: Callable[[Scenario], None]) -> None:
    """They are connected, as far as they know: to close under them would be a reset."""

    async def scenario() -> None:
        clients, held = Clients(), [0, AWAY]
        worker = Worker(clients.queue, held, 1)
        clients.come(90)
        worker.acceptor.close()
        await worker.acceptor.wait_closed()
        assert len(worker.taken) == 90
        assert held == [0, AWAY]
        for sock in worker.taken:
            sock.close()
        clients.close()

    run(scenario)


def test_without_descriptors_it_says_so_once_and_tries_again(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(socket.socket):
        refusals = 3

        def accept(self) -> tuple[socket.socket, Any]:
            if Full.refusals:
                Full.refusals -= 1
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return super().accept()

    async def scenario() -> None:
        monkeypatch.setattr(acceptor, "_EXHAUSTED_S", 0.01)
        clients, slots = Clients(), ConnectionSlots(9, WorkerShare([AWAY], 0))
        taken: list[socket.socket] = []

        async def connect(sock: socket.socket) -> None:
            taken.append(sock)

        assert slots.share is not None
        accepting = Acceptor(Full(fileno=os.dup(clients.queue.fileno())), connect, slots, slots.share)
        clients.come(2)
        await until(lambda: len(taken) == 2)
        accepting.close()
        await accepting.wait_closed()
        for sock in taken:
            sock.close()
        clients.close()

    with capture_logs() as logged:
        run(scenario)
    assert [line["error"] for line in logged] == ["[Errno 24] Too many open files"]


def test_a_handshake_counts_until_it_has_ended(run: Callable[[Scenario], None]) -> None:
    """One that fails is no fault of ours; one that is cut off at the end of a drain is not waited for."""

    async def scenario() -> None:
        held = [AWAY]
        clients, slots = Clients(), ConnectionSlots(9, WorkerShare(held, 0))
        failing = asyncio.Event()

        async def connect(sock: socket.socket) -> None:
            with sock:
                while not failing.is_set():
                    await asyncio.sleep(0.001)
                failing.clear()
                raise ConnectionResetError

        assert slots.share is not None
        accepting = Acceptor(clients.queue.dup(), connect, slots, slots.share)
        clients.come(2)
        await until(lambda: held == [2])
        failing.set()
        await until(lambda: held == [1])
        accepting.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await accepting.wait_closed()
        assert len(asyncio.all_tasks()) == 1
        clients.close()

    run(scenario)

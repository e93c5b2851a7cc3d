"""
Takes connections from a queue that several workers take from, this worker's share of them and no more.

Owns who takes what. The kernel wakes every worker, and who wakes first could take all: of sixteen clients that come together, sixteen.
Each takes only as many as make it hold what the others hold (`core.fair_share`) and leaves the rest for a moment. Others that do not
come in that moment are busy or stopped: what waits for them goes to whoever is neither.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from edge.core.fair_share import WorkerShare
from edge.ingress.connections import ConnectionSlots

_LOOKS = 4
"""Turns of the loop in which what is others' is left to them; a worker that is idle comes within one of these, 20 us long."""

PATIENCE_S = 0.002
"""Then, how long this one looks away."""

_PAUSES = 3
"""So often at most: nobody in the queue waits much longer than 6 ms for our being fair."""

_AT_ONCE = 64
"""Taken in one turn of the loop, so that those who are connected already are not kept waiting."""

_LAST = 4096
"""Taken at the end, at most: as many as the queue can hold."""

_EXHAUSTED_S = 0.1
"""Until the next attempt when there are no descriptors or no memory for another connection."""

_QUEUED = struct.Struct("24xI")
"""`tcpi_unacked` of struct tcp_info, which for a listening socket is the length of its queue (linux/net/ipv4/tcp.c, tcp_get_info)."""

_log = structlog.get_logger("edge.ingress")

Connect = Callable[[socket.socket], Coroutine[Any, Any, object]]
"""Makes a connection of an accepted socket; returns when it is made. An OSError is a handshake that failed."""


class Acceptor:
    """Accepts on `sock`, which is ours from now on, until closed. As asyncio.Server to its listener."""

    def __init__(self, sock: socket.socket, connect: Connect, slots: ConnectionSlots, share: WorkerShare) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._connect = connect
        self._slots = slots
        self._share = share
        self._arriving: set[asyncio.Task[None]] = set()
        self._resuming: asyncio.TimerHandle | None = None
        self._looks = self._pauses = 0
        self._is_exhausted = False
        slots.publish()  # now the others know of this one
        self._loop.add_reader(sock, self._come)

    def close(self) -> None:
        """Accept nothing more. Who is in the queue already is taken: the kernel has told them that they are connected."""
        self._share.withdraw()
        self._stop()
        self._take(_LAST)
        self._stop()
        self._sock.close()

    async def wait_closed(self) -> None:
        """Until each that was accepted is a connection, or has failed to become one. Cancelled, it breaks off what has not."""
        try:
            while self._arriving:
                await asyncio.wait(self._arriving)
        finally:
            for task in self._arriving:
                task.cancel()
            if self._arriving:
                await asyncio.wait(self._arriving)

    def _come(self) -> None:
        """Somebody is in the queue, or was."""
        queued = max(1, waiting(self._sock))  # a system that knows no length may say 0
        ours = min(self._share.of(queued), queued, _AT_ONCE)
        if not self._take(ours):
            return
        if ours in (queued, _AT_ONCE):  # none is left to others, or not before more are ours
            self._looks = self._pauses = 0
            return
        self._looks += 1
        if self._looks >= _LOOKS:
            self._looks = 0
            self._pauses += 1
            self._pause(PATIENCE_S, self._come_again)

    def _come_again(self) -> None:
        """After a pause. Those who are due are not waited for any longer than this."""
        if self._pauses < _PAUSES:
            self._come()
            return
        self._pauses = 0
        self._take(_AT_ONCE)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop()
        self._resuming = self._loop.call_later(seconds, self._resume, then)

    def _stop(self) -> None:
        self._loop.remove_reader(self._sock)
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None

    def _resume(self, then: Callable[[], None]) -> None:
        self._resuming = None
        self._loop.add_reader(self._sock, self._come)
        then()

    def _take(self, count: int) -> bool:
        """Accept so many if there are; False when it has to wait for descriptors or memory."""
        for _ in range(count):
            try:
                accepted, _ = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return True  # another worker was faster, or the client has gone
            except OSError as error:
                self._exhausted(error)
                return False
            self._is_exhausted = False
            self._slots.arrive()
            task = self._loop.create_task(self._arrive(accepted))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)
        return True

    async def _arrive(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(False)  # noqa: FBT003  # positional only
            with suppress(OSError):  # a failed handshake: the loop has closed the socket
                await self._connect(accepted)
        finally:
            self._slots.arrived()

    def _exhausted(self, error: OSError) -> None:
        if not self._is_exhausted:
            _log.error("connections cannot be accepted, those who come wait", error=str(error))
        self._is_exhausted = True
        self._pause(_EXHAUSTED_S, self._come)


def waiting(sock: socket.socket) -> int:
    """How many connections are in the queue of a listening socket; 1 where the system does not tell."""
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED.size)
        return int(_QUEUED.unpack(told)[0])
    except (AttributeError, OSError, struct.error):
        return 1

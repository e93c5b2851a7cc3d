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
import time
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

PASSED_OVER_S = 0.006
"""After so long, and the turns above, those that are due are passed over."""

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
        self._comes = self._looks = 0
        self._left_since = 0.0
        self._is_told = False
        self._is_exhausted = False
        slots.publish()  # now the others know of this one
        self._loop.add_reader(sock, self._come)

    def close(self) -> None:
        """Accept nothing more. Who is in the queue already is taken: the kernel has told them that they are connected."""
        if self._sock.fileno() < 0:
            return
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
        self._comes += 1
        queued = self._queued()
        ours = min(self._share.of(queued), queued, _AT_ONCE)
        if not self._take(ours):
            return
        if ours in (queued, _AT_ONCE):  # none is left to others, or not before more are ours
            self._looks = 0
            return
        now = time.monotonic()  # the loop's clock stands still in a turn, which may be long
        if self._looks == 0:
            self._left_since = now
        elif self._looks >= _LOOKS and now - self._left_since >= PASSED_OVER_S:
            self._looks = 0
            self._take(_AT_ONCE)
            return
        self._looks += 1
        self._loop.call_soon(self._next_turn, self._comes)
        if self._looks % _LOOKS == 0:
            self._pause(PATIENCE_S, self._come)

    def _next_turn(self, comes: int) -> None:
        self._loop.call_soon(self._turn_after, comes)

    def _turn_after(self, comes: int) -> None:
        """The loop has looked at the socket since: if nobody waits, those that were left have been taken."""
        if self._comes == comes and self._resuming is None:
            self._looks = 0

    def _queued(self) -> int:
        """How many wait; of a system that has never told, one."""
        told = waiting(self._sock)
        self._is_told = self._is_told or told > 0
        return told if self._is_told else 1

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
            except BlockingIOError:
                return True  # another worker was faster
            except ConnectionAbortedError:
                continue  # the client has gone
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

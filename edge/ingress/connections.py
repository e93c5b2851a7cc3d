"""
The open connections of a listener, and how many a worker may hold.

Owns the count: each connection takes a slot when made and gives it back when its socket and its last task are gone. Slots are
shared by a worker's listeners. Past the limit a few more are held for the moment it takes to tell them so (503), past that
they are dropped unanswered: an attacker must not get more memory by being refused.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Protocol

from edge.core.backlog import Backlog
from edge.core.fair_share import WorkerShare
from edge.core.suspects import Suspects


def peer_address(transport: asyncio.BaseTransport) -> str:
    """The client's IP address; empty for other kinds of socket."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""


class Admission(Enum):
    """What becomes of a new connection."""

    SERVE = auto()
    REFUSE = auto()
    DROP = auto()


class Connection(Protocol):
    """What a listener does to a connection it drains."""

    def drain(self) -> None:
        """Close now when idle, else after the running request."""

    def cut(self) -> None:
        """Close now, whatever runs."""


class SlowReader(Protocol):
    """A connection whose client may have to give up answers it does not take."""

    def __hash__(self) -> int: ...

    def shed(self) -> None:
        """Drop what waits for the client."""


BACKLOG_BYTES = 32 * 1024 * 1024
"""Of answers that wait for their readers, on all HTTP/2 connections of a listener: 32 KiB for each of a thousand streams, as R12 asks."""


def limit_within(files: int) -> int:
    """The highest connection limit under which `files` descriptors are enough, those who are told of the limit included."""
    return max(1, (files - 16) * 10 // 11)


def _refused_at_once(limit: int) -> int:
    return limit // 10 + 16


class ConnectionSlots:
    """A worker's connection limit. `share`, when other workers take from the same queues, is told how many it holds."""

    __slots__ = ("_arriving", "_becoming", "limit", "share", "used")

    def __init__(self, limit: int, share: WorkerShare | None = None) -> None:
        self.limit = limit
        self.share = share
        self.used = 0
        self._arriving = self._becoming = 0

    def take(self) -> Admission:
        """Count one more; the caller gives it back whatever the verdict."""
        self.used += 1
        if self._arriving:  # it was counted when it was accepted
            self._arriving -= 1
            self._becoming += 1
        self.publish()
        if self.used <= self.limit:
            return Admission.SERVE
        return Admission.REFUSE if self.used <= self.limit + _refused_at_once(self.limit) else Admission.DROP

    def give_back(self) -> None:
        """One fewer."""
        self.used -= 1
        self.publish()

    def arrive(self) -> None:
        """One was accepted and is no connection yet. It takes no slot, but the other workers count it."""
        self._arriving += 1
        self.publish()

    def arrived(self) -> None:
        """It is one, or has failed to become one."""
        if self._becoming:
            self._becoming -= 1
        else:
            self._arriving -= 1
        self.publish()

    def publish(self) -> None:
        """Tell the other workers."""
        if self.share is not None:
            self.share.publish(self.used + self._arriving)


class Connections:
    """
    The connections of one listener, and what is known of them together.

    `suspects` remembers those that were ended for misbehaviour, `backlog` counts the answers that wait for their readers.
    """

    __slots__ = ("_empty", "_open", "_slots", "backlog", "draining", "suspects")

    def __init__(self, slots: ConnectionSlots) -> None:
        self.draining = False
        self.suspects = Suspects()
        self.backlog: Backlog[SlowReader] = Backlog(BACKLOG_BYTES)
        self._slots = slots
        self._open: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> Admission:
        """A connection was made."""
        self._open.add(connection)
        self._empty.clear()
        return self._slots.take()

    def discard(self, connection: Connection) -> None:
        """A connection is gone, and nothing runs for it any more."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._slots.give_back()
        if not self._open:
            self._empty.set()

    def replace(self, connection: Connection, successor: Connection) -> None:
        """The same socket in other hands: it keeps its slot."""
        self._open.discard(connection)
        self._open.add(successor)

    async def drain(self, timeout_s: float) -> None:
        """Close the idle, let the busy finish for `timeout_s`, cut the rest; returns when none is open."""
        self.draining = True
        for connection in tuple(self._open):
            connection.drain()
        await self.settle(timeout_s)

    async def settle(self, timeout_s: float) -> None:
        """Let the busy finish for `timeout_s`, cut the rest. Those that were made while draining know of it."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self._open):
                connection.cut()
            await self._empty.wait()

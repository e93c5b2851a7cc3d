"""
Where the streams of an HTTP/2 connection send: in turn, as far as the client reads, one write for each turn of the loop.

Owns fairness and the bound on what waits in the socket: a stream sends one chunk, then the next stream does; while the transport says
that the client does not keep up, none sends anything, not even a head, so that a client that only asks cannot fill our memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from edge.wire.session import H2Session


class Sender(Protocol):
    """What an outlet needs of a stream."""

    id: int

    def push(self) -> bool:
        """Send a chunk; whether anything went out."""

    @property
    def pending(self) -> bool:
        """Something is left to send."""


class Outlet:
    """`turned` is called when all that could be sent was. `paused` is the transport's word."""

    __slots__ = ("_due", "_loop", "_ready", "_session", "_transport", "_turned", "_unsent_bytes", "paused")

    def __init__(
        self,
        session: H2Session,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        turned: Callable[[], None],
    ) -> None:
        self._session = session
        self._transport = transport
        self._loop = loop
        self._turned = turned
        self._ready: dict[int, Sender] = {}  # have something to send, and maybe a window for it
        self._due = False
        self._unsent_bytes = 0
        self.paused = False

    def ready(self, stream: Sender) -> None:
        """`stream` has something to send: it does now if nobody is before it."""
        if self.paused or self._ready:
            self.queue(stream)
        else:
            self._push(stream)
        self.flush_soon()

    def queue(self, stream: Sender) -> None:
        """Let `stream` send in its turn; the caller sees to it that there is one."""
        self._ready[stream.id] = stream

    def forget(self, stream: Sender) -> None:
        """It sends no more."""
        self._ready.pop(stream.id, None)

    def clear(self) -> None:
        """No stream sends any more."""
        self._ready.clear()

    def close(self) -> None:
        """Nor does anybody: whom it would call is let go."""
        self._ready.clear()
        self._turned = _nothing

    def flush_soon(self) -> None:
        """Take a turn at the end of this turn of the loop."""
        if not self._due:
            self._due = True
            self._loop.call_soon(self.take_turn)

    def take_turn(self) -> None:
        """Let streams send one after the other while the client reads, and write."""
        self._due = False
        self.flush()
        while self._ready and not self.paused:
            self._push(self._ready.pop(next(iter(self._ready))))
            self.flush()
        self._turned()

    def flush(self) -> None:
        """Write what the session has; it is dropped when nobody reads it."""
        data = self._session.take()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def watch(self) -> None:
        """Remember how much is unsent, for `stalled`."""
        self._unsent_bytes = self._transport.get_write_buffer_size()

    def stalled(self) -> bool:
        """The client has read nothing since `watch`."""
        return not 0 < self._transport.get_write_buffer_size() < self._unsent_bytes

    def _push(self, stream: Sender) -> None:
        if stream.push() and stream.pending:
            self._ready[stream.id] = stream


def _nothing() -> None:
    """What a closed outlet calls."""

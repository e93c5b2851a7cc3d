"""
The receiving half of an HTTP/1.1 connection: bytes kept for later, and whether the socket is read at all.

Owns the bound on what a client can make us hold: past it the socket is left alone, and TCP tells the client to wait.
"""

from __future__ import annotations

import asyncio

from edge.ingress.http1_limits import QUEUE_BYTES
from edge.ingress.receive_queue import ReceiveQueue


class Inlet(ReceiveQueue):
    """Pipelined bytes of one connection. `paused` while its socket is not read."""

    __slots__ = ("_transport", "paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self.paused = False

    def keep(self, data: bytes) -> None:
        """Keep what came before its turn; no more of it than the bound and one read."""
        self.add(data)
        if len(self) > QUEUE_BYTES:
            self.pause()

    def pause(self) -> None:
        """Stop reading."""
        if not self.paused:
            self.paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again, unless there is too much to do already."""
        if self.paused and len(self) <= QUEUE_BYTES:
            self.paused = False
            self._transport.resume_reading()

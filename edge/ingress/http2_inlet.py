"""
What an HTTP/2 client has sent, handed to its connection in pieces, so that one client's misbehaviour does not hold the loop.

Owns the length of a connection's turn: a read may bring 256 KiB, which is the whole budget of misbehaviour in one go, and some
milliseconds that nobody else is served. So a read is looked at piece by piece; once a turn's share of the budget went, the rest waits
for the next turn of the loop, and so does what the client sends meanwhile (its socket is not read). Pieces grow while nothing is
charged, so that an honest client, whatever it uploads, notices nothing. Source: reliability.md R7 to R11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PIECE_BYTES = 1024
"""Of the first piece; some twenty cancelled requests, or a hundred pings: half a millisecond of the portable engine's."""

LARGEST_PIECE_BYTES = 16 * 1024
"""As large as a frame of DATA: smaller ones would cost an upload."""

TURN_POINTS = 25.0
"""Of `core.glitches` in one turn of the loop: a cancelled call or two, a settings change, are no reason to wait."""


class Inlet:
    """`read` looks at a piece and says how many points it cost the client; `done` follows the last piece of a turn."""

    __slots__ = ("_at", "_done", "_held", "_loop", "_paused", "_read", "_resting", "_transport")

    def __init__(
        self,
        read: Callable[[bytes], float],
        done: Callable[[], None],
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._read = read
        self._done = done
        self._transport = transport
        self._loop = loop
        self._held = b""
        self._at = 0
        self._paused = self._resting = False

    @property
    def busy(self) -> bool:
        """Something waits to be looked at."""
        return bool(self._held)

    def take(self, data: bytes) -> None:
        """A read."""
        if self._held or self._resting:  # it was under way when reading was paused
            self._held = self._held[self._at :] + data
            self._at = 0
        elif len(data) > PIECE_BYTES:
            self._held = data
            self._turn()
        else:
            self._read(data)
            self._done()

    def rest(self, seconds: float) -> None:
        """Look at nothing for a while (`core.suspects`)."""
        self._resting = True
        self._pause()
        self._loop.call_later(seconds, self._rested)

    def clear(self) -> None:
        """Nobody looks any more."""
        self._held, self._at = b"", 0

    def close(self) -> None:
        """Never again; whom it would call is let go."""
        self.clear()
        self._read, self._done = _deaf, _nothing

    def _rested(self) -> None:
        self._resting = False
        if self._held:
            self._turn()
        else:
            self._pause()

    def _turn(self) -> None:
        """As much as one turn of the loop allows."""
        if not self._held:  # the connection ended meanwhile
            return
        size, spent = PIECE_BYTES, 0.0
        while self._held and spent < TURN_POINTS:
            piece = self._held[self._at : self._at + size]
            self._at += size
            if self._at >= len(self._held):
                self.clear()
            cost = self._read(piece)
            spent += max(cost, 0.0)
            size = PIECE_BYTES if cost > 0 else min(2 * size, LARGEST_PIECE_BYTES)
        if self._held:
            self._loop.call_soon(self._turn)
        self._pause()
        self._done()

    def _pause(self) -> None:
        """Read the socket only when nothing waits."""
        pause = self.busy or self._resting
        if pause == self._paused or self._transport.is_closing():
            return
        self._paused = pause
        if self._paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _deaf(data: bytes) -> float:
    """Who reads for a closed inlet."""
    return 0.0


def _nothing() -> None:
    """What a closed inlet calls."""

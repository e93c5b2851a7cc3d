"""
The end of a stream on which nothing moves.

Owns what counts as movement: bytes of the client's body, bytes and messages of the service's, each message handed on. A write that waits
for a slow reader is no rest (the write timeout judges it), and what the gateway says of its own accord, heartbeats and pings, is no
movement: it would keep alive what nobody uses. One timer a stream, armed anew only when it fires.
Source: Envoy's stream_idle_timeout (HttpConnectionManager), which counts both directions together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.ingress.service import BodySource
from edge.upstream.call import Trace


class IdleWatch:
    """Calls `expired` once nothing has moved for `timeout_s`, None for never. `trace.moved` is when the service last sent a byte."""

    __slots__ = ("_expired", "_loop", "_moved", "_timeout_s", "_timer", "_trace", "writing")

    def __init__(
        self, timeout_s: float | None, trace: Trace, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]
    ) -> None:
        self._timeout_s = timeout_s
        self._trace = trace
        self._loop = loop
        self._expired = expired
        self._moved = 0.0
        self.writing = False
        self._timer: asyncio.TimerHandle | None = None
        if timeout_s is not None:
            self._moved = loop.time()
            self._timer = loop.call_at(self._moved + timeout_s, self._look)

    def moved(self) -> None:
        """Something has."""
        if self._timeout_s is not None:
            self._moved = self._loop.time()

    def close(self) -> None:
        """Nobody watches any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        assert self._timeout_s is not None
        now = self._loop.time()
        last = now if self.writing else max(self._moved, self._trace.moved)
        if now >= last + self._timeout_s:
            self._timer = None
            self._expired()
        else:
            self._timer = self._loop.call_at(last + self._timeout_s, self._look)


class WatchedBody:
    """`edge.ingress.service.BodySource` that tells of each piece."""

    __slots__ = ("_body", "_watch")

    def __init__(self, body: BodySource, watch: IdleWatch) -> None:
        self._body = body
        self._watch = watch

    async def read(self) -> bytes:
        """The next piece."""
        data = await self._body.read()
        self._watch.moved()
        return data

"""
Lines on their way to a file or to standard output, off the event loop.

Owns the promise that logging neither blocks nor fails a call: lines are gathered for a moment, written by a thread of their
own, and dropped (and counted) once too many wait. A killed process loses at most what it gathered in `DELAY_S`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from edge.telemetry.sink import Sink

DELAY_S = 0.05
"""Long enough that a busy gateway wakes its writer twenty times a second, not once a call."""

HAND_OVER_BYTES = 64 * 1024
MAX_PENDING_BYTES = 4 * 1024 * 1024
"""What a stuck disk may make us hold; some 10,000 lines."""


class LineWriter:
    """
    Hands lines to a sink's thread. Use it from the event loop's thread only.

    `on_lost(count)` is called, on whichever thread notices, for lines that were dropped or could not be written.
    """

    def __init__(
        self, sink: Sink, on_lost: Callable[[int], None], *, max_pending_bytes: int = MAX_PENDING_BYTES
    ) -> None:
        self._sink = sink
        self._on_lost = on_lost
        self._max_pending_bytes = max_pending_bytes
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        # Each of these two has one writing thread, so that their difference needs no lock.
        self._accepted_bytes = 0
        self._finished_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._batches: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Take one line, line feed included, or drop it when too much waits already."""
        self.write_all((line,))

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Take lines, as many as there is room for."""
        size = sum(map(len, lines))
        room = self._max_pending_bytes - (self._accepted_bytes - self._finished_bytes)
        if size > room:
            lines, size = self._first_of(lines, room)
        self._accepted_bytes += size
        self._gathered_bytes += size
        self._gathered += lines
        if self._gathered_bytes >= HAND_OVER_BYTES:
            self._hand_over()
        elif self._timer is None and lines:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self._hand_over)

    def _first_of(self, lines: Sequence[bytes], room: int) -> tuple[Sequence[bytes], int]:
        """The lines that fit, and their size; the others are lost."""
        taken: list[bytes] = []
        size = 0
        for line in lines:
            if size + len(line) <= room:
                taken.append(line)
                size += len(line)
        self._on_lost(len(lines) - len(taken))
        return taken, size

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gathered:
            self._batches.put(self._gathered)
            self._gathered, self._gathered_bytes = [], 0

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            lost = self._sink.write(batch)
            self._finished_bytes += sum(map(len, batch))
            if lost:
                self._on_lost(lost)

    def reopen(self) -> None:
        """Let the next batch go to a newly opened file: the old one was moved away."""
        self._sink.reopen()

    async def close(self, timeout_s: float = 2.0) -> None:
        """Write what is gathered and end; a sink that is stuck for `timeout_s` keeps the rest."""
        self._hand_over()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join, timeout_s)
        if not self._thread.is_alive():
            self._sink.close()

"""
Signals as something to select on.

Owns the process's handlers while it is open, and puts the old ones back. Python wakes the pipe from the C handler itself, so
that no signal is lost between a check and a wait.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self


class SignalPipe:
    """A context: `reader` becomes readable when one of the signals came. Main thread only."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self._numbers = tuple(numbers)
        self._old: dict[signal.Signals, Any] = {}
        self._old_fd = -1
        self.reader, self._writer = socket.socketpair()
        self.reader.settimeout(0)
        self._writer.settimeout(0)

    def __enter__(self) -> Self:
        # A full pipe means that a signal of each kind waits to be read already: nothing is missed by a warning less.
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self._numbers:
            self._old[number] = signal.signal(number, _nothing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self.reader.close()
        self._writer.close()

    def take(self) -> list[signal.Signals]:
        """The signals that came since the last call, in order."""
        with suppress(BlockingIOError):
            return [signal.Signals(byte) for byte in self.reader.recv(4096)]
        return []


def _nothing(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor does the work; without a handler the signal's default would end the process."""

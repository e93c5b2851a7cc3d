"""
One worker process, as its supervisor holds it.

Owns the process and the channel to it, and gives both back. It is started by exec with exactly the descriptors it needs, in a
process group of its own: a terminal's Ctrl-C reaches the supervisor alone, which then asks each worker once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from edge.runtime.early_signals import held_back
from edge.runtime.inheritance import Inheritance
from edge.runtime.report import Reports
from edge.runtime.shared_counts import SharedCounts
from edge.telemetry.shared_metrics import DIRECTORY_VARIABLE

_READ_BYTES = 65536


class Child:
    """A running worker. `channel` becomes readable when it reports or ends."""

    def __init__(
        self,
        command: Sequence[str],
        slot: int,
        listeners: Sequence[socket.socket],
        admin: socket.socket | None,
        connections: SharedCounts,
        metrics_directory: str,
        now: float,
    ) -> None:
        self.slot = slot
        self.ready_at: float | None = None
        self.started_at = now
        self.reports = Reports()
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(0)
        inheritance = Inheritance(
            slot,
            theirs.fileno(),
            tuple(sock.fileno() for sock in listeners),
            connections.descriptor,
            None if admin is None else admin.fileno(),
            metrics_directory,
        )
        try:
            with theirs:
                self._process = _start(command, inheritance, _environment(metrics_directory))
        except OSError:
            self.channel.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read(self, now: float) -> bool:
        """Take what it reported. False when the channel has ended and need not be watched any more."""
        with suppress(BlockingIOError):
            while data := self._receive():
                self.reports.feed(data)
                if self.reports.ready and self.ready_at is None:
                    self.ready_at = now
            return False
        return True

    def _receive(self) -> bytes:
        try:
            return self.channel.recv(_READ_BYTES)
        except ConnectionError:
            return b""

    def reap(self) -> int | None:
        """Its exit code (negative: the signal that killed it), None while it runs."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Signal it; harmless when it is gone, and never another process that took its id."""
        self._process.send_signal(number)

    def served_s(self, now: float) -> float | None:
        """How long it has served; None when it never got ready."""
        return None if self.ready_at is None else now - self.ready_at

    def close(self) -> None:
        """Give the channel back."""
        self.channel.close()


def _start(command: Sequence[str], inheritance: Inheritance, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with held_back():  # signals that it cannot heed before it has started
        return subprocess.Popen(  # noqa: S603  # our own command line
            list(command),
            stdin=subprocess.DEVNULL,
            pass_fds=inheritance.descriptors(),
            env=inheritance.environment(environment),
            process_group=0,
        )


def _environment(metrics_directory: str) -> dict[str, str]:
    """Ours, but a worker is nobody the service manager knows."""
    ours = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    return {**ours, DIRECTORY_VARIABLE: metrics_directory}

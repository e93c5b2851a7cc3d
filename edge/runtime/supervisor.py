"""
The parent of `--workers N`: it holds the listening sockets and keeps N workers alive, and serves nothing itself.

Owns three promises. A listening socket is open as long as the supervisor lives and is not asked to stop, so connections queue while
workers come and go. A worker that dies is replaced (when, `core.respawn` decides). What one worker finds wrong with the
configuration at the first start is printed once, and ends everything with exit code 2. One thread, no event loop: nothing to go wrong.
"""

from __future__ import annotations

import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from edge.core.fair_share import AWAY
from edge.core.respawn import Respawn
from edge.runtime.child import Child
from edge.runtime.early_signals import let_through
from edge.runtime.notify import notify
from edge.runtime.shared_counts import SharedCounts
from edge.runtime.signal_pipe import SignalPipe
from edge.runtime.worker import BAD_INPUT, FAILED, OK
from edge.telemetry.shared_metrics import forget_worker

_GRACE_S = 2.0
"""Past the drain timeout (or a second signal) before workers are killed: they end by themselves within a second of it."""

_STOP = (signal.SIGTERM, signal.SIGINT)
_PASSED_ON = (signal.SIGHUP, signal.SIGUSR1)

_log = structlog.get_logger("edge.supervisor")


@dataclass(slots=True)
class _Slot:
    """A place for one worker: the one that runs, or when the next is due."""

    number: int
    respawn: Respawn = field(default_factory=Respawn)
    child: Child | None = None
    due: float | None = 0.0


class Presence(Protocol):
    """Who tells others that the gateway is there."""

    def arrive(self) -> None:
        """All workers serve. Returns at once."""

    def leave(self) -> None:
        """The end begins, before any worker knows of it. Returns within seconds."""


class Supervisor:
    """Runs `command` as each worker. `listeners` and `admin` are bound already and are closed here when the end begins."""

    def __init__(
        self,
        command: Sequence[str],
        workers: int,
        listeners: Sequence[socket.socket],
        admin: socket.socket | None,
        *,
        drain_timeout_s: float,
        presence: Presence | None = None,
    ) -> None:
        self._presence = presence
        self._command = tuple(command)
        self._listeners = tuple(listeners)
        self._admin = admin
        self._drain_timeout_s = drain_timeout_s
        self._slots = [_Slot(number) for number in range(workers)]
        self._selector = selectors.DefaultSelector()
        self._connections = SharedCounts.of(workers, AWAY)
        self._metrics_directory = tempfile.mkdtemp(prefix="edge-metrics-")
        self._is_complete = False  # every slot has been ready once
        self._is_stopping = False
        self._kill_at: float | None = None
        self._code = OK

    def run(self) -> int:
        """Supervise until the last worker has gone. The exit code: 0 when all that ran was drained."""
        try:
            with SignalPipe((*_STOP, *_PASSED_ON, signal.SIGCHLD)) as signals, self._selector:
                let_through()
                self._selector.register(signals.reader, selectors.EVENT_READ, lambda: self._heed(signals))
                while not self._is_over():
                    self._turn()
        finally:
            self._close_listeners()
            self._connections.close()
            shutil.rmtree(self._metrics_directory, ignore_errors=True)
        return self._code

    def _is_over(self) -> bool:
        return self._is_stopping and all(slot.child is None for slot in self._slots)

    def _turn(self) -> None:
        """Do what is due, then wait for the next event."""
        now = time.monotonic()
        for slot in self._slots:
            if slot.due is not None and slot.due <= now:
                self._spawn(slot, now)
        if self._kill_at is not None and self._kill_at <= now:
            self._kill_at = None
            _log.error("workers did not end in time: killed")
            self._send_all(signal.SIGKILL)
        for key, _ in self._selector.select(self._wait_s(now)):
            act: Callable[[], None] = key.data
            act()

    def _wait_s(self, now: float) -> float | None:
        times = [slot.due for slot in self._slots if slot.due is not None]
        if self._kill_at is not None:
            times.append(self._kill_at)
        return max(0.0, min(times) - now) if times else None

    def _spawn(self, slot: _Slot, now: float) -> None:
        slot.due = None
        try:
            child = self._child(slot.number, now)
        except OSError as error:  # out of processes or descriptors
            _log.error("worker could not be started", slot=slot.number, error=str(error))
            self._schedule(slot, None, now)
            return
        slot.child = child
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(child))

    def _child(self, slot: int, now: float) -> Child:
        given = (self._listeners, self._admin, self._connections, self._metrics_directory)
        return Child(self._command, slot, *given, now)

    def _hear(self, child: Child) -> None:
        if self._slots[child.slot].child is not child:  # buried earlier in this very turn
            return
        if not child.read(time.monotonic()):
            self._selector.unregister(child.channel)
        if not self._is_complete and all(slot.child and slot.child.reports.ready for slot in self._slots):
            self._is_complete = True
            notify("READY=1")
            _log.info("all workers serve", workers=len(self._slots))
            if self._presence is not None:
                self._presence.arrive()

    def _heed(self, signals: SignalPipe) -> None:
        for number in signals.take():
            if number in _STOP:
                self._stop()
            elif number in _PASSED_ON:
                self._send_all(number)
        # Children are looked after in any case: SIGCHLDs that come together count as one.
        for slot in self._slots:
            if slot.child is not None and (code := slot.child.reap()) is not None:
                self._bury(slot, slot.child, code)

    def _bury(self, slot: _Slot, child: Child, code: int) -> None:
        """A worker is gone: decide what follows."""
        now = time.monotonic()
        child.read(now)
        with suppress(KeyError):
            self._selector.unregister(child.channel)
        child.close()
        slot.child = None
        forget_worker(self._metrics_directory, slot.number)
        self._connections.numbers[slot.number] = AWAY
        if self._is_stopping:
            if child.reports.ready and code != OK:
                self._code = self._code or FAILED
            return
        _log.warning("worker ended", slot=slot.number, pid=child.pid, code=code)
        if code == BAD_INPUT and not self._is_complete:
            self._give_up(child.reports.failure, BAD_INPUT)
            return
        self._schedule(slot, child.served_s(now), now)
        if slot.respawn.is_hopeless and not self._is_complete:
            self._give_up(child.reports.failure or f"workers end at start with code {code}", FAILED)
        elif child.reports.failure:
            _log.error("worker failed to start", slot=slot.number, problems=child.reports.failure)

    def _schedule(self, slot: _Slot, served_s: float | None, now: float) -> None:
        slot.due = now + slot.respawn.died(served_s)

    def _give_up(self, text: str, code: int) -> None:
        """Print once what is wrong and end."""
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")
        self._code = code
        self._stop()

    def _stop(self) -> None:
        """Ask every worker to drain; asked again, to end at once."""
        wait_s = _GRACE_S if self._is_stopping else self._drain_timeout_s + _GRACE_S
        if not self._is_stopping and self._presence is not None:
            self._presence.leave()
        self._is_stopping = True
        self._kill_at = time.monotonic() + wait_s
        for slot in self._slots:
            slot.due = None
        notify("STOPPING=1")
        self._send_all(signal.SIGTERM)
        # Not before the workers know: what they have not yet taken off the queue is lost when the last of us closes it.
        self._close_listeners()

    def _send_all(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.child is not None:
                slot.child.send(number)

    def _close_listeners(self) -> None:
        """From here on, new connections are refused instead of left waiting."""
        for sock in (*self._listeners, *(() if self._admin is None else (self._admin,))):
            sock.close()

"""
One serving process from its start to its drained end.

Owns what signals mean: SIGTERM and SIGINT drain, a second one ends at once, SIGHUP reloads, SIGUSR1 reopens log files; in a
worker the supervisor's death is a SIGTERM. Exit codes: 0 drained, 1 failed or cut off, 2 bad configuration.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import structlog
import uvloop

from edge.core.problem import ProblemsError
from edge.runtime.collector import set_aside
from edge.runtime.early_signals import let_through
from edge.runtime.inheritance import Inheritance, adopted
from edge.runtime.notify import notify
from edge.runtime.report import Reporter, ToOperator, ToSupervisor

OK, FAILED, BAD_INPUT = 0, 1, 2

_OVERTIME_S = 1.0
"""What a drain may take past its timeout, and an immediate end past its signal, before the process is ended regardless."""

_log = structlog.get_logger("edge.runtime")


class Served(Protocol):
    """A gateway, as this shell sees it."""

    async def start(self, listeners: Sequence[socket.socket], admin: socket.socket | None) -> None:
        """Serve on these sockets. Raises ProblemsError when the configuration cannot be served."""

    async def drain(self, timeout_s: float) -> None:
        """
        Not ready any more, accept nothing more, let calls finish for so long, cut off the rest, give everything back.

        Also called on a gateway whose start was cancelled half-way.
        """

    async def reload(self) -> None:
        """Load the configuration anew. Raises ProblemsError and keeps the old one when the new one is wrong."""

    def reopen_logs(self) -> None:
        """Log files were moved away: open new ones."""


def serve(
    make: Callable[[], Served],
    listeners: Sequence[socket.socket],
    admin: socket.socket | None,
    *,
    drain_timeout_s: float,
) -> int:
    """Serve in this process, without supervisor, until a signal ends it. The exit code."""
    return _run(make, listeners, admin, ToOperator(), None, drain_timeout_s)


def serve_inherited(make: Callable[[], Served], inheritance: Inheritance, *, drain_timeout_s: float) -> int:
    """Serve as a worker, on what the supervisor gave. The exit code."""
    channel = socket.socket(fileno=inheritance.channel)
    listeners = [adopted(descriptor) for descriptor in inheritance.listeners]
    admin = None if inheritance.admin is None else adopted(inheritance.admin)
    return _run(make, listeners, admin, ToSupervisor(channel), channel, drain_timeout_s)


def _run(
    make: Callable[[], Served],
    listeners: Sequence[socket.socket],
    admin: socket.socket | None,
    reporter: Reporter,
    lifeline: socket.socket | None,
    drain_timeout_s: float,
) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Process(make, reporter, drain_timeout_s).run(listeners, admin, lifeline))


class _Process:
    """The signals of one serving process and the tasks they start."""

    def __init__(self, make: Callable[[], Served], reporter: Reporter, drain_timeout_s: float) -> None:
        self._make = make
        self._reporter = reporter
        self._drain_timeout_s = drain_timeout_s
        self._stop = asyncio.Event()
        self._abort = asyncio.Event()
        self._reload = asyncio.Event()
        self._reopen: Callable[[], None] | None = None

    async def run(
        self, listeners: Sequence[socket.socket], admin: socket.socket | None, lifeline: socket.socket | None
    ) -> int:
        """Start, serve, drain. The exit code."""
        self._listen_to_signals()
        if lifeline is not None:
            asyncio.get_running_loop().add_reader(lifeline.fileno(), self._lifeline_moved, lifeline)
        try:
            served = self._make()
            if await self._until_stop(served.start(listeners, admin)):
                set_aside()
                self._reporter.ready()
                _log.info("serving", pid=os.getpid())
                await self._until_stop(self._reload_on_request(served))
        except ProblemsError as error:
            self._reporter.failed(str(error))
            return BAD_INPUT
        except Exception as error:  # noqa: BLE001  # whatever it was, the supervisor must hear of it
            _log.exception("start failed")
            self._reporter.failed(f"start failed: {error!r}")
            return FAILED
        return await self._end(served)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        loop.add_signal_handler(signal.SIGUSR1, self._asked_to_reopen)
        let_through()

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._abort.set()
        self._stop.set()

    def _asked_to_reopen(self) -> None:
        if self._reopen is not None:
            self._reopen()

    def _lifeline_moved(self, lifeline: socket.socket) -> None:
        """The supervisor sends nothing: what can be read is its end."""
        asyncio.get_running_loop().remove_reader(lifeline.fileno())
        self._stop.set()
        _log.warning("supervisor is gone, draining")

    async def _until_stop(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work unless asked to stop first; whether it was done. What it raises is raised here."""
        return await _first(work, self._stop)

    async def _reload_on_request(self, served: Served) -> None:
        """One reload at a time; a request that comes during one leads to another."""
        self._reopen = served.reopen_logs
        while await self._reload.wait():
            self._reload.clear()
            try:
                await served.reload()
                set_aside()
                _log.info("reloaded")
            except ProblemsError as error:
                _log.error("reload refused, the old configuration stays", problems=str(error))
            except Exception:  # noqa: BLE001  # the old configuration serves on
                _log.exception("reload failed, the old configuration stays")

    async def _end(self, served: Served) -> int:
        """Drain, or end at once when asked a second time."""
        notify("STOPPING=1")
        _log.info("draining", timeout_s=self._drain_timeout_s)
        try:
            async with asyncio.timeout(self._drain_timeout_s + _OVERTIME_S):
                if await _first(served.drain(self._drain_timeout_s), self._abort):
                    _log.info("drained")
                    return OK
                _log.warning("asked twice to stop: calls were cut off")
        except TimeoutError:
            _log.error("drain took longer than its timeout")
        except Exception:  # noqa: BLE001  # the process ends either way, with code 1
            _log.exception("drain failed")
        # Tasks that do not heed their cancellation must not keep the process.
        asyncio.get_running_loop().call_later(_OVERTIME_S, os._exit, FAILED)
        return FAILED


async def _first(work: Coroutine[Any, Any, None], event: asyncio.Event) -> bool:
    """Run the work until it is done (True) or the event is set (False: it was cancelled)."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        done = working.done()
        if not done:
            working.cancel()
            await asyncio.wait((working,), timeout=_OVERTIME_S)
    if done:
        working.result()
    return done

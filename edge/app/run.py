"""
What `edge run` does: load once to report mistakes, bind, and serve in this process or in workers under a supervisor.

Owns the order in which things can fail: the configuration first, then addresses, before anything is started.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.app.gateway import Gateway
from edge.config.load import load_config
from edge.config.models import Config
from edge.core.fair_share import WorkerShare
from edge.runtime import early_signals, inheritance, sockets, worker
from edge.runtime.shared_counts import SharedCounts
from edge.runtime.sockets import Bind
from edge.runtime.supervisor import Supervisor
from edge.telemetry import log
from edge.telemetry.shared_metrics import SharedMetrics

if TYPE_CHECKING:
    from edge.app.registrar import Registrar


def run(config_path: Path, workers: int = 1) -> int:
    """Serve until a signal ends it; the exit code. Raises ProblemsError for a configuration or addresses that do not serve."""
    with early_signals.held_back():  # until handlers are in place: worker and supervisor let them through
        return _run(config_path, workers)


def _run(config_path: Path, workers: int) -> int:
    log.configure()
    given = inheritance.claim()
    if given is not None:
        return _serve_inherited(config_path, given)
    config = _load(config_path)
    listeners, admin = _bind(config)
    if workers > 1:
        command = [sys.executable, "-m", "edge", "run", "-c", str(config_path)]
        return Supervisor(
            command, workers, listeners, admin, drain_timeout_s=config.drain_timeout, presence=_presence(config)
        ).run()
    return worker.serve(
        lambda: Gateway(lambda: _load(config_path)), listeners, admin, drain_timeout_s=config.drain_timeout
    )


def _presence(config: Config) -> Registrar | None:
    if config.consul is None:
        return None
    from edge.app.registrar import registrar_of  # Consul's client and aiohttp are 20 MiB: only where there is a mesh

    return registrar_of(config)


def _serve_inherited(config_path: Path, given: inheritance.Inheritance) -> int:
    shared = SharedMetrics(given.metrics_directory, given.slot) if given.metrics_directory else None
    share = WorkerShare(SharedCounts(given.connections).numbers, given.slot)
    drain_timeout_s = _load(config_path).drain_timeout
    return worker.serve_inherited(
        lambda: Gateway(lambda: _load(config_path), shared, share, registers=False),
        given,
        drain_timeout_s=drain_timeout_s,
    )


def _load(config_path: Path) -> Config:
    return load_config(config_path, os.environ)


def _bind(config: Config) -> tuple[list[socket.socket], socket.socket | None]:
    binds = [
        Bind(listener.bind.host, listener.bind.port, f"listeners[{index}].bind")
        for index, listener in enumerate(config.listeners)
    ]
    if config.admin is not None:
        binds.append(Bind(config.admin.bind.host, config.admin.bind.port, "admin.bind"))
    bound = sockets.bind_all(binds)
    return (bound[:-1], bound[-1]) if config.admin is not None else (bound, None)

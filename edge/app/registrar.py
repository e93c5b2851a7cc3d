"""
The gateway's registration where several workers serve: made once, by the supervisor, from a thread with a loop of its own.

Owns that the supervisor's one thread never waits for Consul but at the end, and then for no longer than a drain may give it: others must
not be sent here once workers have begun to drain.
"""

from __future__ import annotations

import asyncio
import threading

import structlog

from edge.config.models import Config
from edge.consul.client import AgentPlace, ConsulClient
from edge.consul.registration import LEAVE_S, Registration
from edge.consul.settings import agent_of, gateway_definition
from edge.core.consul_definition import Definition

_log = structlog.get_logger("edge.consul")


class Registrar:
    """`runtime.supervisor.Presence`: one registration, from `arrive` to `leave`."""

    def __init__(self, agent: AgentPlace, definition: Definition) -> None:
        self._agent = agent
        self._definition = definition
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None

    def arrive(self) -> None:
        """Workers serve: register, and keep it up."""
        self._thread = threading.Thread(target=self._serve, name="consul registration", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Withdraw; returns when that is done, or after what a drain gives for it."""
        if self._thread is None:
            return
        self._begun.wait(LEAVE_S)
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LEAVE_S + 1.0)

    def _serve(self) -> None:
        try:
            asyncio.run(self._keep())
        except Exception:  # noqa: BLE001  # a thread's death would go unnoticed
            _log.exception("the registration broke inside the gateway")

    async def _keep(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with ConsulClient(self._agent) as client:
            registration = Registration(client, self._definition)
            kept = asyncio.ensure_future(registration.keep())
            self._begun.set()
            await self._over.wait()
            kept.cancel()
            await asyncio.gather(kept, return_exceptions=True)
            await registration.leave()


def registrar_of(config: Config) -> Registrar | None:
    """For a configuration that wants the gateway registered; else None. Raises ProblemsError as `agent_of`."""
    definition = gateway_definition(config)
    if config.consul is None or definition is None:
        return None
    return Registrar(agent_of(config, config.consul), definition)

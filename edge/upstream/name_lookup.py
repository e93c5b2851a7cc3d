"""
The addresses behind names, looked up again and again: how the endpoints of a headless Service are known.

Owns that a look-up that fails or finds nothing takes no endpoint away: a name server that is being restarted must not, and an address
that is really gone costs a failed dial and its backoff. The system's resolver tells no time to live, so the interval is the operator's.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

_log = structlog.get_logger("edge.upstream")

Places = tuple[tuple[str, int], ...]
JITTER = 0.1
"""An interval varies by this share either way, so that a fleet does not ask in step."""


@dataclass(frozen=True, slots=True)
class LookupState:
    """For the admin listener."""

    names: tuple[str, ...]
    endpoints: Places
    ready: bool
    reason: str
    age_s: float | None
    """Since all names were last found."""


class NameLookup:
    """`names` are hosts and ports; addresses among them stand for themselves."""

    def __init__(self, names: Sequence[tuple[str, int]], interval_s: float) -> None:
        self._names = tuple(names)
        self._interval_s = interval_s
        self._found: dict[tuple[str, int], Places] = {}
        self._published: Places | None = None
        self._publish: Callable[[Places], None] = lambda _: None
        self._reason = ""
        self._confirmed_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, publish: Callable[[Places], None]) -> None:
        """Look, and go on looking; `publish` is called with each new set."""
        self._publish = publish
        self._task = asyncio.get_running_loop().create_task(self._run(), name="name look-up")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def fault(self) -> str | None:
        """Why no address is known, or None."""
        return None if self._found else f"waiting for names: {self._reason or 'no answer yet'}"

    def why_none(self) -> str:
        """Why there is no endpoint."""
        return self._reason or "its names have no address"

    def state(self) -> LookupState:
        """The look-up now."""
        age_s = None if self._confirmed_at is None else time.monotonic() - self._confirmed_at
        names = tuple(f"{host}:{port}" for host, port in self._names)
        return LookupState(names, self._published or (), bool(self._found), self._reason, age_s)

    async def _run(self) -> None:
        while True:
            await self._look()
            share = JITTER * (2 * random.random() - 1)  # noqa: S311  # spreads load, guards nothing
            await asyncio.sleep(self._interval_s * (1 + share))

    async def _look(self) -> None:
        faults = [fault for name in self._names if (fault := await self._look_at(name))]
        reason = "; ".join(faults)
        if reason != self._reason:
            self._reason = reason
            if reason:
                _log.warning("a name cannot be looked up: its last addresses are kept", reason=reason)
            else:
                _log.info("names are found again", names=[host for host, _ in self._names])
        if not faults:
            self._confirmed_at = time.monotonic()
        places = tuple(sorted({place for name in self._names for place in self._found.get(name, ())}))
        if places and places != self._published:
            self._published = places
            self._publish(places)

    async def _look_at(self, name: tuple[str, int]) -> str | None:
        """The addresses of one name into `_found`; why not, if so."""
        host, port = name
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label too long for IDNA
            return f"{host}: {getattr(error, 'strerror', None) or error}"
        self._found[name] = tuple(sorted({(str(address[0]), port) for *_, address in found}))
        return None

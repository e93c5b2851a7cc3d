"""
A gateway in a process of its own before an upstream that counts, with an honest client beside whoever attacks it.

    async with site(folder) as where:
        honest = victim(where.edge)
        async with honest.running(): ...            # attack where.edge.port
        where.upstream.calls, where.memory_mib(), where.base_ms
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.demo.messages import load
from tests.gateway import bookstore_config
from tests.resilience.edge_process import EdgeProcess
from tests.resilience.load import Load
from tests.upstreams.recorder import Recorder, Reply

SPECIMEN = load().Specimen
VICTIM = "/v1/lab/specimen?string_value=victim"


@dataclass(frozen=True)
class Site:
    """The gateway, the upstream, and what the honest client felt before any attack (milliseconds)."""

    edge: EdgeProcess
    upstream: Recorder
    base_ms: float

    @property
    def attacks_seen(self) -> int:
        """Requests of attackers that reached the service, with a message."""
        values = [SPECIMEN.FromString(m).string_value for call in self.upstream.calls for m in call.messages]
        return sum(value != "victim" for value in values)

    def memory_mib(self) -> float:
        """The gateway's resident memory."""
        status = Path(f"/proc/{self.edge.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@asynccontextmanager
async def site(folder: Path, *, base_s: float = 2.0, **choices: Any) -> AsyncIterator[Site]:
    """Serve, after the honest client had it to itself for `base_s`; `choices` as for `bookstore_config`."""
    async with Recorder(default=lambda call: Reply(b"".join(call.messages))) as upstream:
        config = bookstore_config(folder, upstream.port, **choices)
        process = EdgeProcess(folder, config)
        await asyncio.to_thread(process.__enter__)
        try:
            base = await victim(process).for_s(base_s)
            yield Site(process, upstream, base.took_ms(0.5))
        finally:
            await asyncio.to_thread(process.__exit__)


def victim(edge: EdgeProcess) -> Load:
    """An honest client: two connections, a request every 50 ms on each."""
    return Load(edge.port, VICTIM, connections=2, pause_s=0.05)

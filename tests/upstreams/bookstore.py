"""
The demo's bookstore as an upstream, freshly seeded.

In the test's loop: `async with bookstore() as (address, messages):`. In a child process: `with BookstoreProcess() as upstream:`,
with `address`, `pid`, `kill()` and `restart()` on the same port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

from edge.demo import messages as demo_messages
from edge.demo import service
from edge.demo.messages import Messages
from tests.upstreams.child import ChildUpstream

OPENED_S = 1_767_603_600.0
"""The clock of in-loop bookstores stands still at 2026-01-05T09:00:00Z."""


@cache
def known() -> Messages:
    """The bookstore's message classes, compiled once per test run."""
    return demo_messages.load()


@asynccontextmanager
async def bookstore(port: int = 0) -> AsyncIterator[tuple[str, Messages]]:
    """A bookstore in the running loop."""
    running = await service.start(port, known=known(), now_s=lambda: OPENED_S)
    try:
        yield f"127.0.0.1:{running.port}", known()
    finally:
        await running.stop(0)


@dataclass
class BookstoreProcess(ChildUpstream):
    """A bookstore in a child process."""

    def command(self) -> Sequence[str]:
        """The demo's own service."""
        return ["-m", "edge.demo.service", "--port", str(self.port)]

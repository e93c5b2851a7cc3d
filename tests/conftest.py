"""What every test runs under: asyncio's debug mode, and proof that no task outlives its test."""

from __future__ import annotations

import asyncio
import inspect
import os
import types
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import settings

# A shared machine pauses tests at will: a slow example is no failure, a hung one is pytest-timeout's.
# The suite tries the same examples each time, so that red means a change; `EDGE_RANDOM=1` looks for what nobody has tried yet.
_random = bool(os.environ.get("EDGE_RANDOM"))
settings.register_profile("edge", deadline=None, derandomize=not _random)
settings.load_profile("edge")
os.environ.setdefault("PYTHONASYNCIODEBUG", "1")

GRPCIO_ENDS_S = 10.0
"""For the tasks of a grpcio server that has stopped (compiled coroutines): each ends when a thread of grpcio's says so."""


@pytest.fixture(autouse=True)
def _no_task_left(request: pytest.FixtureRequest) -> None:
    """Every asynchronous test is checked; synchronous ones have no loop to leave a task on."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_no_task_left_async")


@pytest.fixture
async def _no_task_left_async() -> AsyncIterator[None]:
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    if of_grpcio := [task for task in _pending() if not isinstance(task.get_coro(), types.CoroutineType)]:
        await asyncio.wait(of_grpcio, timeout=GRPCIO_ENDS_S)
    left = _pending()
    assert not left, f"tasks left behind: {left}"


def _pending() -> list[asyncio.Task[Any]]:
    """Every task of the loop but this one."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]

"""Tasks are counted by what they run."""

from __future__ import annotations

import asyncio

from edge.admin.tasks import running_tasks


async def _waits() -> None:
    await asyncio.Event().wait()


async def test_tasks_are_counted_by_coroutine() -> None:
    """Those that ended are gone."""
    before = sum(running_tasks().values())
    tasks = [asyncio.create_task(_waits()) for _ in range(3)]
    assert running_tasks()["_waits"] == 3
    assert sum(running_tasks().values()) == before + 3
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert "_waits" not in running_tasks()

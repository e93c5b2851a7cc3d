"""
What a worker's event loop is running: how many tasks of each kind, by the name of the coroutine they run.

For whoever suspects a leak: a number that grows while traffic does not is one. Costs a walk over all tasks when asked, nothing before.
"""

from __future__ import annotations

import asyncio
from collections import Counter


def running_tasks() -> dict[str, int]:
    """Tasks of the running loop by coroutine, the one that asks included."""
    names = (getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    return dict(sorted(Counter(names).items()))

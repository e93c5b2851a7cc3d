"""
Keeping reflected APIs current: a watch per API, and the snapshot that follows from what it hears.

Owns that a description is compiled off the event loop, compared with the one before it (what breaks is logged), and handed over
as a whole snapshot or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from edge.app.snapshot import Snapshot, with_reflected
from edge.config.models import Api, Config
from edge.core.problem import Problem
from edge.descriptors.compat import compared
from edge.descriptors.load import describe
from edge.descriptors.reflection_dialogue import Reflected
from edge.upstream.pool import Pool
from edge.upstream.reflection import ReflectionWatch, Rhythm

_log = structlog.get_logger("edge.reflection")


class Watches:
    """The watches of one configuration. `current` gives the snapshot to build on, `swap` takes the next."""

    def __init__(
        self,
        config: Config,
        pools: Mapping[str, Pool],
        current: Callable[[], Snapshot],
        swap: Callable[[Snapshot], None],
    ) -> None:
        self._config = config
        self._pools = pools
        self._current = current
        self._swap = swap
        self._building = (
            asyncio.Lock()
        )  # two APIs that change at once must not each build on the snapshot without the other
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to ask, each API on its own."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._watch(index, api).run())
            for index, api in enumerate(self._config.apis)
            if api.reflection is not None
        ]

    async def stop(self) -> None:
        """End all watches and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _watch(self, index: int, api: Api) -> ReflectionWatch:
        assert api.reflection is not None
        return ReflectionWatch(
            self._pools[api.upstream].open_stream,
            Rhythm(api.reflection.refresh, api.reflection.timeout),
            on_change=partial(self._changed, index, api),
            on_problem=partial(_tell, api),
        )

    async def _changed(self, index: int, api: Api, told: Reflected) -> None:
        async with self._building:
            old = self._current()
            new = await asyncio.to_thread(_next, old, api, told, index)
            known = old.descriptions.get(api.name)
            if known is not None:
                difference = compared(known.descriptor_set, new.descriptions[api.name].descriptor_set)
                _log.info("description changed", api=api.name, breaking=difference.breaking, changes=difference.lines)
            else:
                _log.info("description loaded", api=api.name, services=list(told.services))
            self._swap(new)


def _next(old: Snapshot, api: Api, told: Reflected, index: int) -> Snapshot:
    return with_reflected(old, api.name, describe(api, told.descriptor_set, told.services, index))


def _tell(api: Api, problems: Sequence[Problem]) -> None:
    _log.warning("description cannot be had", api=api.name, problems=[str(problem) for problem in problems])

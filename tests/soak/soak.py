"""
The soak itself: `edge run` before a bookstore, every client in a loop of its own, a sample every so often, a verdict at the end.

The first error of a client ends it. Every wait in it is bounded, so that a hang, on whichever side, is a fault with a name.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled
from tests.resilience.edge_process import EdgeProcess
from tests.soak.load import Task, errors, load
from tests.soak.samples import HEADING, Sample, row, take
from tests.soak.verdict import Soak
from tests.upstreams.bookstore import BookstoreProcess

SETTLE_S = 10.0
PROGRESS_S = 15.0


async def soak(folder: Path, seconds: float, every_s: float) -> Soak:
    """Run it."""
    result = Soak()
    with BookstoreProcess() as upstream:
        api = {**compiled(folder), "websocket": True}
        edge = EdgeProcess(folder, bookstore_config(folder, upstream.port, api=api))
        try:
            await asyncio.to_thread(edge.__enter__)
            result.before = await _first(edge)
            await _under_load(edge, result, seconds, every_s)
            gc.collect()  # grpcio closes a channel's connection with its last call object, which a task's traceback may hold
            await _settled(edge, result, seconds)
            result.tasks = await asyncio.to_thread(edge.admin, "/tasks")
            edge.signal(signal.SIGTERM)
            result.exit_code = await asyncio.to_thread(edge.wait)
        except OSError as error:
            result.errors.append(f"the gateway does not answer: {error!r}")
        finally:
            await asyncio.to_thread(edge.__exit__)
    return result


async def _under_load(edge: EdgeProcess, result: Soak, seconds: float, every_s: float) -> None:
    async with load(edge.port, result.calls, result.deaf) as running:
        await _sampled(edge, result, seconds, every_s, running)


async def _sampled(edge: EdgeProcess, result: Soak, seconds: float, every_s: float, running: Sequence[Task]) -> None:
    """A sample every `every_s` until the time is up or a client has ended, which is an error."""
    loop = asyncio.get_running_loop()
    began_s = told_s = loop.time()
    print(HEADING, file=sys.stderr)
    while (now_s := loop.time() - began_s) < seconds and not result.errors:
        await asyncio.wait(running, timeout=min(every_s, seconds - now_s), return_when=asyncio.FIRST_COMPLETED)
        result.errors += errors(running)
        sample = await asyncio.to_thread(take, edge, loop.time() - began_s)
        if sample is None:
            result.unanswered += 1
            continue
        result.samples.append(sample)
        if loop.time() - told_s >= PROGRESS_S:
            told_s = loop.time()
            print(row(sample), file=sys.stderr, flush=True)


async def _first(edge: EdgeProcess) -> Sample:
    """What an idle gateway holds."""
    sample = None
    while sample is None:
        sample = await asyncio.to_thread(take, edge, 0.0)
    return sample


async def _settled(edge: EdgeProcess, result: Soak, seconds: float) -> None:
    """The last sample: when nothing is left, or when the time that may take is over."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while (waited_s := loop.time() - began_s) < SETTLE_S:
        result.after = await asyncio.to_thread(take, edge, seconds + waited_s) or result.after
        if not result.left():
            return
        await asyncio.sleep(0.25)

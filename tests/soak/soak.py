"""
The soak itself: `edge run` before a bookstore, every client in a loop of its own, a sample every so often, a verdict at the end.

Errors of clients end it at once. The verdict holds memory's slope after the warm-up against a bound, and what is left when the
clients have gone against what was there before they came.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx

from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled
from tests.resilience.edge_process import EdgeProcess
from tests.soak import rude_clients
from tests.soak.clients import Clients
from tests.soak.samples import Sample, curves, slope_per_10_min, table, take
from tests.upstreams.bookstore import BookstoreProcess

PAUSE_S = 0.05
MAX_SLOPE_MIB = 1.0
WARM_UP_SHARE = 0.4
"""Of ten minutes: caches fill and the allocator finds its size in the first three, by measurement."""

SETTLE_S = 10.0
FILES_LEFT = 5
"""More open files than before are no leak up to here: the connections to the upstream stay."""


@dataclass
class Soak:
    """What was done and seen."""

    samples: list[Sample] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    """Samples not taken: the admin listener said nothing for five seconds, as happens on a machine others keep busy."""
    before: Sample | None = None
    after: Sample | None = None

    @property
    def warm(self) -> list[Sample]:
        """The samples after the warm-up."""
        return self.samples[int(len(self.samples) * WARM_UP_SHARE) :]

    def left(self) -> list[str]:
        """What is there that should not be."""
        before, after = self.before, self.after
        assert before is not None
        assert after is not None
        found = [
            f"{name}: {getattr(after, name)}" for name in ("connections", "calls", "streams") if getattr(after, name)
        ]
        # The connections to the upstream, each with tasks of its own, stay.
        kept = after.files - before.files
        if kept > FILES_LEFT:
            found.append(f"files: {before.files} before, {after.files} after")
        if after.tasks > before.tasks + 3 * max(0, kept):
            found.append(f"tasks: {before.tasks} before, {after.tasks} after")
        return found

    def report(self) -> str:
        """Curves, table, calls, verdict."""
        seconds = self.samples[-1].at_s
        made = ", ".join(f"{name} {count}" for name, count in sorted(self.calls.items()))
        return "\n".join(
            [
                curves(self.samples),
                table([*self.samples, *([self.after] if self.after else [])]),
                f"{sum(self.calls.values())} calls in {seconds:.0f} s: {made}",
                f"samples: {len(self.samples)}, not answered in time: {self.unanswered}",
                f"memory after the warm-up: {slope_per_10_min(self.warm):+.2f} MiB / 10 min (bound {MAX_SLOPE_MIB:g})",
                f"left at the end: {'not reached' if self.after is None else '; '.join(self.left()) or 'nothing'}",
            ]
        )


async def soak(folder: Path, seconds: float, every_s: float) -> Soak:
    """Run it."""
    with BookstoreProcess() as upstream:
        api = {**compiled(folder), "websocket": True}
        process = EdgeProcess(folder, bookstore_config(folder, upstream.port, api=api))
        await asyncio.to_thread(process.__enter__)
        try:
            return await _soak(process, seconds, every_s)
        finally:
            await asyncio.to_thread(process.__exit__)


async def _soak(edge: EdgeProcess, seconds: float, every_s: float) -> Soak:
    result = Soak()
    result.before = await asyncio.to_thread(take, edge, 0.0)
    try:
        await _load(edge, result, seconds, every_s)
    except BaseException:
        print(result.report() if result.samples else "nothing was sampled")
        raise
    # grpcio closes a channel's connection with its last call object, which a cancelled task's traceback may hold.
    gc.collect()
    result.after = await _settled(edge, result, seconds)
    return result


async def _load(edge: EdgeProcess, result: Soak, seconds: float, every_s: float) -> None:
    """All clients for so long; none when this returns."""
    address = f"127.0.0.1:{edge.port}"
    async with (
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=30) as http,
        grpc.aio.insecure_channel(address) as channel,
    ):
        running = [asyncio.create_task(each) for each in _clients(edge.port, http, channel, result.calls)]
        try:
            await _sample(edge, result, seconds, every_s, running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def _clients(port: int, http: httpx.AsyncClient, channel: Any, calls: Counter[str]) -> list[Any]:
    cuts = rude_clients.cut_calls()
    turns = iter(range(10**9))
    disconnecting: dict[str, Callable[[], Awaitable[None]]] = {
        "disconnected": lambda: rude_clients.disconnect(port, cuts[next(turns) % len(cuts)]),
        "cancelled": lambda: rude_clients.cancel(channel),
    }
    repeated = {**Clients(port, http, channel).all, **disconnecting}
    loops = [_again(name, call, calls) for name, call in repeated.items()]
    return [*loops, rude_clients.sip(port), rude_clients.sip_grpc(channel)]


async def _again(name: str, call: Callable[[], Awaitable[None]], calls: Counter[str]) -> None:
    while True:
        await call()
        calls[name] += 1
        await asyncio.sleep(PAUSE_S)


async def _sample(
    edge: EdgeProcess, result: Soak, seconds: float, every_s: float, running: list[asyncio.Task[None]]
) -> None:
    """A sample every `every_s` until the time is up; a client that ended has failed."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while (now_s := loop.time() - began_s) < seconds:
        done, _ = await asyncio.wait(
            running, timeout=min(every_s, seconds - now_s), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
            raise AssertionError("a client ended")
        try:
            result.samples.append(await asyncio.to_thread(take, edge, loop.time() - began_s))
        except TimeoutError:
            result.unanswered += 1


async def _settled(edge: EdgeProcess, result: Soak, seconds: float) -> Sample:
    """The sample when nothing is left, or the last one within the time that may take."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + SETTLE_S
    while True:
        result.after = await asyncio.to_thread(take, edge, seconds + SETTLE_S - (until_s - loop.time()))
        if not result.left() or loop.time() > until_s:
            return result.after
        await asyncio.sleep(0.25)

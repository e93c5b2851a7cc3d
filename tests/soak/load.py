"""
All clients at once, for as long as the soak lasts, and none of them when it is over.

Owns their end: each call has its time, an error of any client ends the load, and a client that does not go when it is told to is named
with the place where it stands. Nothing here waits for ever.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx

from tests.soak import rude_clients
from tests.soak.clients import Clients

PAUSE_S = 0.05
CALL_S = 30.0
"""A call that takes longer hangs: the longest answered one takes milliseconds, and the machine may be busy."""

STOP_S = 10.0
"""The WebSocket client waits so long for the other end to close."""

Call = Callable[[], Awaitable[None]]
Task = asyncio.Task[None]


@asynccontextmanager
async def load(port: int, calls: Counter[str], deaf: list[str]) -> AsyncIterator[Sequence[Task]]:
    """The clients' tasks while they run; when it is left, `deaf` has what `stopped` found."""
    address = f"127.0.0.1:{port}"
    http = httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=CALL_S)
    channel = grpc.aio.insecure_channel(address)
    running = [asyncio.create_task(work, name=name) for name, work in clients(port, http, channel, calls).items()]
    try:
        yield running
    finally:
        deaf += await stopped(running, STOP_S)
        async with asyncio.timeout(STOP_S):
            await channel.close(None)
            await http.aclose()


def clients(port: int, http: httpx.AsyncClient, channel: Any, calls: Counter[str]) -> dict[str, Any]:
    """A coroutine per client, by name. None of them ends by itself but with an error."""
    cuts = rude_clients.cut_calls()
    turns = iter(range(10**9))
    repeated: dict[str, Call] = {
        **Clients(port, http, channel).all,
        "disconnected": lambda: rude_clients.disconnect(port, cuts[next(turns) % len(cuts)]),
        "cancelled": lambda: rude_clients.cancel(channel),
    }
    slow = {"slow reader": rude_clients.sip(port), "slow gRPC reader": rude_clients.sip_grpc(channel)}
    return {name: again(name, call, calls) for name, call in repeated.items()} | slow


async def again(name: str, call: Call, calls: Counter[str], pause_s: float = PAUSE_S, call_s: float = CALL_S) -> None:
    """One call after the other, each within its time."""
    while True:
        async with asyncio.timeout(call_s):
            await call()
        calls[name] += 1
        await asyncio.sleep(pause_s)


def errors(tasks: Sequence[Task]) -> list[str]:
    """What went wrong with those that have ended: none should have."""
    return [f"{task.get_name()}: {_told(task)}" for task in tasks if task.done()]


def _told(task: Task) -> str:
    error = None if task.cancelled() else task.exception()
    return "ended" if error is None else "".join(traceback.format_exception(error)).rstrip()


async def stopped(running: Sequence[Task], within_s: float) -> list[str]:
    """Cancel all; those that are still there when their time is up, and where each stands."""
    for task in running:
        task.cancel()
    _, deaf = await asyncio.wait(running, timeout=within_s)
    found = [f"{task.get_name()}: {where(task)}" for task in deaf]
    for task in deaf:
        task.cancel()  # what swallowed the first may heed a second; the loop's end must not wait for it
    return found


def where(task: Task) -> str:
    """The functions a task is in, outermost first, each with its line."""
    places = []
    at: Any = task.get_coro()
    while at is not None:
        frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None) or getattr(at, "ag_frame", None)
        if frame is not None:
            places.append(f"{at.__qualname__}:{frame.f_lineno}")
        at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None) or getattr(at, "ag_await", None)
    return " > ".join(places) or repr(task)

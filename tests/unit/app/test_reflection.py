"""Watches turn what an upstream tells into whole snapshots."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge.app.reflection import Watches
from edge.app.snapshot import Snapshot, load_snapshot
from edge.routes import Missing
from edge.upstream.dial import make_security
from edge.upstream.endpoint import DialPlan
from edge.upstream.pool import Pool
from edge.wire.portable.h2_session import PortableH2Session
from edge.wire.session import Role, SessionSettings
from tests.unit.app.configs import config
from tests.upstreams.bookstore import bookstore


def pool(port: int) -> Pool:
    plan = DialPlan(make_security(None), lambda: PortableH2Session(Role.CLIENT, SessionSettings()))
    return Pool("shop", [("127.0.0.1", port)], plan)


async def test_a_description_becomes_a_snapshot_once(tmp_path: Path) -> None:
    """C1: the first answer makes the routes; the same answer again makes nothing."""
    reflected = config(tmp_path, api={"reflection": {"refresh": "50ms"}})
    current = load_snapshot(reflected)
    swapped: list[Snapshot] = []
    first = asyncio.Event()

    def swap(snapshot: Snapshot) -> None:
        nonlocal current
        current = snapshot
        swapped.append(snapshot)
        first.set()

    async with bookstore() as (address, _):
        upstreams = {"shop": pool(int(address.rpartition(":")[2]))}
        watches = Watches(reflected, upstreams, lambda: current, swap)
        watches.start()
        await asyncio.wait_for(first.wait(), 10)
        await asyncio.sleep(0.2)
        await watches.stop()
        await upstreams["shop"].close(0.0)
    assert len(swapped) == 1
    assert not isinstance(current.routes.lookup("GET", "/v1/shelves/1"), Missing)
    assert current.loading == ()


async def test_an_upstream_that_is_down_leaves_the_snapshot_alone(tmp_path: Path) -> None:
    reflected = config(tmp_path, api={"reflection": True})
    swapped: list[Snapshot] = []
    upstreams = {"shop": pool(1)}
    watches = Watches(reflected, upstreams, lambda: load_snapshot(reflected), swapped.append)
    watches.start()
    await asyncio.sleep(0.1)
    await watches.stop()
    await upstreams["shop"].close(0.0)
    assert swapped == []

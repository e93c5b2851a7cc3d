"""
Acceptance 5: an upstream is killed, hangs, or comes back, under load through `edge run`: nothing hangs, everything is accounted for.

Services here are child processes that echo; the load is raw sockets, so that every request is counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway import bookstore_config, running_bookstore
from tests.resilience.edge_process import EdgeProcess
from tests.resilience.load import Load, check_status
from tests.upstreams.faulty import Faulty
from tests.upstreams.recorder import AnyPath

TARGET = "/v1/lab/specimen?string_value=hello"
OTHER = "/v1/shelves"
"""Of another service, which another upstream serves where there are two."""
DEADLINE_S = 3.0
SLACK_S = 5.0
"""A loaded machine's own delay, on top of the deadline; what hangs is awaited for longer (`load.STUCK_S`)."""
RECOVERY_S = 1.0
TRIES = 3
"""A neighbour on the machine can only make a recovery later: the best of so many is ours."""


def two_upstreams(folder: Path, first: Faulty, second: Faulty) -> dict[str, object]:
    """Laboratory at the first upstream, Bookstore at the second."""
    config = bookstore_config(folder, first.port)
    (api,) = config["apis"]
    config["apis"] = [
        {**api, "services": ["bookstore.v1.Laboratory"], "timeout": f"{DEADLINE_S}s"},
        {**api, "name": "steady", "services": ["bookstore.v1.Bookstore"], "upstream": "steady"},
    ]
    config["upstreams"]["steady"] = {"endpoints": [second.address]}
    return config


def say(title: str, load: Load) -> None:
    """Print the account."""
    reasons = dict(Counter(check_status(answer) for answer in load.failed))
    print(
        f"{title}: sent {load.sent} = answered {len(load.answers)}; by status {load.statuses()}; faults {reasons};"
        f" slowest {load.took_ms(1.0):.0f} ms"
    )


def nothing_hung(load: Load) -> None:
    """Each request was answered, within its deadline."""
    assert load.sent == len(load.answers), (load.sent, len(load.answers), len(load.lost))
    assert load.refused == []
    assert max(answer.took_s for answer in load.answers) < DEADLINE_S + SLACK_S


@pytest.mark.slow
@pytest.mark.timeout(300)  # 7 s, for each of the tries
async def test_a_killed_upstream_costs_no_hang_and_comes_back_within_a_second(tmp_path: Path) -> None:
    """kill -9 under load: each request is answered, each failure is a Status, and a second after its return all succeed."""
    with Faulty(delay_s=0.005) as upstream:
        config = bookstore_config(tmp_path, upstream.port, api={"timeout": f"{DEADLINE_S}s"})
        with EdgeProcess(tmp_path, config) as edge:
            for _ in range(TRIES):
                if await _killed_and_back(upstream, Load(edge.port, TARGET)) <= RECOVERY_S:
                    return
    raise AssertionError(f"calls failed more than {RECOVERY_S} s after the return, {TRIES} times of {TRIES}")


async def _killed_and_back(upstream: Faulty, load: Load) -> float:
    """Once, under load; when the last request began that failed, in seconds after the return."""
    loop = asyncio.get_running_loop()
    async with load.running():
        await asyncio.sleep(0.8)
        kill_s = loop.time()
        await asyncio.to_thread(upstream.kill)
        await asyncio.sleep(1.6)  # long enough for the backoff between dials to have grown
        await asyncio.to_thread(upstream.start)
        back_s = loop.time()
        await asyncio.sleep(RECOVERY_S + 0.3)
        seen = len(load.answers)
        while len(load.answers) < seen + 150:  # at whatever pace this machine answers
            await asyncio.sleep(0.05)
    say("acceptance 5, kill -9 under load", load)
    nothing_hung(load)
    assert {answer.status for answer in load.failed} == {503}
    assert all(answer.ended_s >= kill_s for answer in load.failed)
    recovery_s = max(0.0, max(answer.began_s for answer in load.failed) - back_s)
    print(f"acceptance 5: down for {back_s - kill_s:.2f} s, last failure {recovery_s * 1000:.0f} ms after the return")
    return recovery_s


@pytest.mark.slow
async def test_a_frozen_upstream_costs_its_callers_the_deadline_and_the_others_nothing(tmp_path: Path) -> None:
    """SIGSTOP: calls to it are 504 at their deadline; another upstream's calls all succeed, about as fast as before."""
    with (
        Faulty() as frozen,
        Faulty() as steady,
        EdgeProcess(tmp_path, two_upstreams(tmp_path, frozen, steady)) as edge,
    ):
        stuck, before, hung, during = (
            Load(edge.port, target, connections=20) for target in (TARGET, OTHER, TARGET, OTHER)
        )
        await asyncio.gather(Load(edge.port, OTHER).for_s(0.3), stuck.for_s(0.3))  # warms both
        assert stuck.statuses() == {200: stuck.sent}
        await before.for_s(1.2)
        frozen.freeze()
        try:
            await asyncio.gather(hung.for_s(1.6), during.for_s(1.2))
        finally:
            frozen.thaw()
        healed = await Load(edge.port, TARGET, connections=20).for_s(0.5)
    say("SIGSTOP", hung)
    nothing_hung(hung)
    assert hung.statuses() == {504: hung.sent}
    assert min(answer.took_s for answer in hung.answers) > DEADLINE_S - 0.05
    assert during.statuses() == {200: during.sent}
    # Nothing of theirs waits for what the frozen one's wait for; the few whose process this machine let wait are not counted.
    assert during.took_ms(0.75) < DEADLINE_S * 500
    assert healed.statuses() == {200: healed.sent}
    ratio = during.took_ms(0.99) / before.took_ms(0.99)
    print(
        f"isolation: the other upstream's p50/p99 {before.took_ms(0.5):.1f}/{before.took_ms(0.99):.1f} ms before,"
        f" {during.took_ms(0.5):.1f}/{during.took_ms(0.99):.1f} ms during: p99 ratio {ratio:.2f}"
    )


@pytest.mark.slow
async def test_goaway_every_few_hundred_milliseconds_costs_no_call(tmp_path: Path) -> None:
    """A service that ends each connection after 300 ms (max_connection_age) under load: every call succeeds."""
    with (
        Faulty(max_age_s=0.3, delay_s=0.005) as upstream,
        EdgeProcess(tmp_path, bookstore_config(tmp_path, upstream.port)) as edge,
    ):
        load = await Load(edge.port, TARGET).for_s(3.0)
    say("GOAWAY every 300 ms", load)
    assert load.accounted
    assert (load.lost, load.refused) == ([], [])
    assert load.statuses() == {200: load.sent}


@pytest.mark.slow
async def test_a_service_of_one_stream_serves_all_callers_in_turn(tmp_path: Path) -> None:
    """max_concurrent_streams=1: fifty callers share it, none fails."""
    with (
        Faulty(max_streams=1) as upstream,
        EdgeProcess(tmp_path, bookstore_config(tmp_path, upstream.port)) as edge,
    ):
        load = await Load(edge.port, TARGET).for_s(2.0)
    say("max_concurrent_streams=1", load)
    assert load.statuses() == {200: load.sent}


async def test_a_client_that_goes_away_cancels_its_call(tmp_path: Path) -> None:
    """A client that closes in mid-call: at once the service sees the cancellation, and only its own call's."""
    began, cancelled, release = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def serve(path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        (message,) = [message async for message in requests]
        if b"leaves" in message:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
        await release.wait()
        yield message

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((AnyPath(serve),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with running_bookstore(tmp_path, port) as gateway, gateway.client() as client:
            stays = asyncio.ensure_future(client.get("/v1/lab/specimen?string_value=stays"))
            _, leaving = await asyncio.open_connection("127.0.0.1", gateway.port)
            leaving.write(b"GET /v1/lab/specimen?string_value=leaves HTTP/1.1\r\nhost: x\r\n\r\n")
            await asyncio.wait_for(began.wait(), 30)
            left_s = loop.time()
            leaving.close()
            await leaving.wait_closed()
            await asyncio.wait_for(cancelled.wait(), 5.0)  # its deadline would come after fifteen
            seen_ms = (loop.time() - left_s) * 1000
            release.set()
            assert (await stays).status_code == 200
    finally:
        await server.stop(None)
    print(f"client disconnect: the service saw the cancellation after {seen_ms:.1f} ms")

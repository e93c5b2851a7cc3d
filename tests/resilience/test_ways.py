"""
Splits and failovers by the gateway itself, through a whole gateway: exact shares, services killed under load, streams, logs and metrics.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.gateway import RunningGateway, bookstore_config, running
from tests.resilience.edge_process import EdgeProcess
from tests.resilience.load import Load, read_answer
from tests.upstreams.faulty import Faulty
from tests.upstreams.recorder import Recorder

TARGET = "/v1/lab/specimen?string_value=hello"
NOTICE_S = 1.0
"""Until the gateway has surely been told that a killed service's connections are gone, by whatever machine."""
CHAT = "/bookstore.v1.Feeds/Chat"


def config(folder: Path, ports: dict[str, int], **bookstore: Any) -> dict[str, Any]:
    """The first of `ports` is what the API names; `bookstore` is what its section says besides."""
    upstreams: dict[str, Any] = {name: {"endpoints": [f"127.0.0.1:{port}"]} for name, port in ports.items()}
    upstreams["bookstore"] |= bookstore
    return bookstore_config(folder, 1, upstreams=upstreams)


def shares(**weights: float) -> dict[str, Any]:
    """A split over upstreams of these names; `bookstore` is itself."""
    return {
        "subsets": {
            name: {"weight": weight} | ({} if name == "bookstore" else {"upstream": name})
            for name, weight in weights.items()
        }
    }


def dialled(gateway: RunningGateway) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}")


async def admin(gateway: RunningGateway, page: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{gateway.admin_url}{page}")).text


def vias(log: Path) -> Counter[str]:
    """How many lines of the access log name each way."""
    return Counter(json.loads(line)["upstream_via"] for line in log.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.timeout(400)  # 30 s; a machine with much else to do is given its time
async def test_ten_thousand_calls_through_the_gateway_are_shared_exactly(tmp_path: Path) -> None:
    """Over fifty connections at once; the services' own counts, the access log, the admin page and the metrics agree."""
    with Faulty() as own, Faulty() as one, Faulty() as two:
        ports = {"bookstore": own.port, "one": one.port, "two": two.port}
        split = shares(bookstore=70, one=29.5, two=0.5)
        async with running(tmp_path, config(tmp_path, ports, split=split)) as gateway:

            async def calls() -> None:
                reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
                for _ in range(200):
                    writer.write(f"GET {TARGET} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                    status, _, _ = await read_answer(reader)
                    assert status == 200
                writer.close()

            await asyncio.gather(*(calls() for _ in range(50)))
            served = [await asyncio.to_thread(each.served) for each in (own, one, two)]
            (state,) = json.loads(await admin(gateway, "/ways"))
            metrics = await admin(gateway, "/metrics")
        assert served == [7000, 2950, 50]
        assert vias(gateway.access_log) == {"bookstore/bookstore": 7000, "one": 2950, "two": 50}
        assert [way["calls"] for way in state["ways"]] == [7000, 2950, 50]
        assert 'edge_upstream_way_calls_total{upstream="bookstore",way="one"} 2950.0' in metrics


@pytest.mark.slow
async def test_a_service_killed_under_load_costs_no_call_that_it_had_not_begun(tmp_path: Path) -> None:
    """kill -9 and return: what fails was in its hands, nothing fails while it is dead, and it takes back all its calls."""
    loop = asyncio.get_running_loop()
    with Faulty(delay_s=0.005) as own, Faulty(delay_s=0.005) as spare:
        ports = {"bookstore": own.port, "spare": spare.port}
        with EdgeProcess(tmp_path, config(tmp_path, ports, failover={"upstreams": ["spare"]})) as edge:
            load = Load(edge.port, TARGET)
            async with load.running():
                await asyncio.sleep(0.8)
                assert await asyncio.to_thread(spare.served) == 0
                kill_s = loop.time()
                await asyncio.to_thread(own.kill)
                dead_s = loop.time() + NOTICE_S
                await asyncio.sleep(NOTICE_S + 1.2)
                return_s = loop.time()
                await asyncio.to_thread(own.start)
                stood_in = await _settled(spare)  # it has all its calls back
    assert load.accounted
    assert stood_in > 50
    dead = [answer for answer in load.answers if dead_s < answer.began_s < return_s]
    print(f"sent {load.sent}, by status {load.statuses()}; {len(dead)} while it was dead, {stood_in} stood in for")
    assert dead
    assert all(answer.status == 200 for answer in dead)
    assert all(answer.ended_s > kill_s and answer.began_s < dead_s for answer in load.failed)
    assert len(load.failed) <= 50, "no more than were in its hands"


async def _settled(upstream: Faulty) -> int:
    """How many calls it has begun, once no more come; whoever still sends it some is waited for in vain."""
    before = await asyncio.to_thread(upstream.served)
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.5)
            before, last = await asyncio.to_thread(upstream.served), before
            if before == last:
                return before


async def test_a_dead_subset_gives_its_part_to_the_others(tmp_path: Path) -> None:
    """Nobody is refused for a canary that is down; the failover is for when no subset is left."""
    async with Recorder() as own, Recorder() as spare:
        ports = {"bookstore": own.port, "canary": 1, "spare": spare.port}
        given = config(tmp_path, ports, split=shares(bookstore=50, canary=50), failover={"upstreams": ["spare"]})
        async with running(tmp_path, given) as gateway, gateway.client() as client:
            for _ in range(10):
                assert (await client.get(TARGET)).status_code == 200
            assert len(own.calls) == 10
            await own.__aexit__()
            for _ in range(10):
                assert (await client.get(TARGET)).status_code == 200
            assert len(spare.calls) == 10
            reachable = {way["way"]: way["reachable"] for way in json.loads(await admin(gateway, "/ways"))[0]["ways"]}
            assert reachable == {"bookstore/bookstore": False, "canary": False, "spare": True}


async def test_every_dialect_draws_from_the_same_shares_and_sticks_alike(tmp_path: Path) -> None:
    """REST and gRPC calls of one user go one way; without the header they take turns together."""
    async with Recorder() as own, Recorder() as other:
        split = {**shares(bookstore=50, other=50), "sticky": "x-user"}
        given = config(tmp_path, {"bookstore": own.port, "other": other.port}, split=split)
        async with running(tmp_path, given) as gateway, gateway.client() as client, dialled(gateway) as channel:
            get = channel.unary_unary("/bookstore.v1.Bookstore/GetShelf", None, None)
            for user in ("ann", "bob", "cy", "dee"):
                before = [len(own.calls), len(other.calls)]
                for _ in range(3):
                    assert (await client.get(TARGET, headers={"x-user": user})).status_code == 200
                    await get(b"", metadata=(("x-user", user),))
                taken = [len(own.calls) - before[0], len(other.calls) - before[1]]
                assert sorted(taken) == [0, 6], user
            before = [len(own.calls), len(other.calls)]
            for _ in range(6):
                assert (await client.get(TARGET)).status_code == 200
                await get(b"")
            assert [len(own.calls) - before[0], len(other.calls) - before[1]] == [6, 6]


async def test_streams_are_shared_and_stood_in_for(tmp_path: Path) -> None:
    """A dialogue begins elsewhere while its service is dead; the log names the way it took."""
    with Faulty() as own, Faulty() as spare:
        given = config(tmp_path, {"bookstore": own.port, "spare": spare.port}, failover={"upstreams": ["spare"]})
        async with running(tmp_path, given) as gateway, dialled(gateway) as channel:
            for expected in ("bookstore", "spare"):
                call = channel.stream_stream(CHAT, None, None)()  # type: ignore[call-arg]  # the stubs know no empty request iterator
                await call.write(b"")
                assert await call.read() == b""
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF  # type: ignore[attr-defined]  # nor this
                await gateway.logged(f'"upstream_via":"{expected}"')
                await asyncio.to_thread(own.kill)


async def test_a_reload_shifts_the_weights_and_keeps_the_connections(tmp_path: Path) -> None:
    """A canary grows without a cut connection; counts go on."""
    async with Recorder() as own, Recorder() as other:
        ports = {"bookstore": own.port, "other": other.port}
        given = config(tmp_path, ports, split=shares(bookstore=50, other=50))
        async with running(tmp_path, given) as gateway, gateway.client() as client:
            for _ in range(4):
                await client.get(TARGET)
            pools = {name: pool for name, (_, pool) in gateway.gateway._pools.items()}
            changed = config(tmp_path, ports, split=shares(bookstore=0, other=100))
            (tmp_path / "edge.yaml").write_text(json.dumps(changed))
            await gateway.gateway.reload()
            assert {name: pool for name, (_, pool) in gateway.gateway._pools.items()} == pools
            for _ in range(4):
                await client.get(TARGET)
            assert (len(own.calls), len(other.calls)) == (2, 6)
            (state,) = json.loads(await admin(gateway, "/ways"))
            assert [way["calls"] for way in state["ways"]] == [2, 6]


async def test_where_there_is_one_way_the_log_names_none(tmp_path: Path) -> None:
    """Lines of most gateways are as before."""
    async with (
        Recorder() as own,
        running(tmp_path, config(tmp_path, {"bookstore": own.port})) as gateway,
        gateway.client() as client,
    ):
        await client.get(TARGET)
        assert "upstream_via" not in await gateway.logged(TARGET.partition("?")[0])
        assert json.loads(await admin(gateway, "/ways")) == []

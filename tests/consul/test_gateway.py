"""
The running gateway finds an upstream in Consul: endpoints come, go and change their weight.

Each against the double and the real agent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.consul.scenes import Peer, asked, until
from tests.gateway import RunningGateway, bookstore_config, running
from tests.peers.consul_double import running_double
from tests.upstreams.recorder import Recorder, Reply

Names = Callable[[str], str]
SHELF = "/v1/shelves/1"


def config(folder: Path, peer: Peer, service: str, **more: Any) -> dict[str, Any]:
    """The bookstore found in Consul under a name, dialled in plaintext."""
    consul = {"address": peer.url, "wait": "5s"}
    found = {"consul": {"service": service, "dial": "plain", **more.pop("found", {})}, **more.pop("upstream", {})}
    return bookstore_config(folder, 1, consul=consul, upstreams={"bookstore": found}, **more)


async def register(peer: Peer, service: str, upstream: Recorder, weight: int = 1, number: int = 1) -> None:
    """An instance without checks."""
    body = {
        "Name": service,
        "ID": f"{service}-{number}",
        "Address": "127.0.0.1",
        "Port": upstream.port,
        "Weights": {"Passing": weight, "Warning": 1},
    }
    status, _, _ = await asked(peer, "PUT", "/v1/agent/service/register", body)
    assert status == 200


async def deregister(peer: Peer, service: str, number: int = 1) -> None:
    status, _, _ = await asked(peer, "PUT", f"/v1/agent/service/deregister/{service}-{number}")
    assert status == 200


async def ready(gateway: RunningGateway) -> list[str]:
    """What readiness has against it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return list((await client.get(f"{gateway.admin_url}/readyz")).json()["reasons"])


def instances(gateway: RunningGateway) -> int:
    """How many endpoints the pool has."""
    return len(gateway.gateway._pools["bookstore"][1].state().endpoints)


async def test_the_instances_of_a_service_take_calls_as_they_come_and_go(
    tmp_path: Path, peer: Peer, unique: Names
) -> None:
    """The first call, made before Consul was heard, waits for the endpoints; a removed one gets no further call."""
    service = unique("shop")
    async with Recorder() as one, Recorder() as two:
        await register(peer, service, one)
        async with running(tmp_path, config(tmp_path, peer, service)) as gateway, gateway.client() as client:
            assert (await client.get(SHELF)).status_code == 200
            assert await ready(gateway) == []
            await register(peer, service, two, number=2)
            await until(lambda: instances(gateway) == 2, "the second instance")
            for _ in range(20):
                assert (await client.get(SHELF)).status_code == 200
            assert two.calls
            await deregister(peer, service)
            await until(lambda: instances(gateway) == 1, "the first instance gone")
            before = len(one.calls)
            for _ in range(10):
                assert (await client.get(SHELF)).status_code == 200
            assert len(one.calls) == before
            async with httpx.AsyncClient(trust_env=False) as other:
                page = (await other.get(f"{gateway.admin_url}/consul")).json()
                assert page["upstreams"]["bookstore"]["instances"][0]["port"] == two.port
                metrics = (await other.get(f"{gateway.admin_url}/metrics")).text
            assert 'edge_consul_instances{upstream="bookstore"} 1.0' in metrics
            assert 'edge_consul_alarm{alarm="unreachable",upstream="bookstore"} 0.0' in metrics


async def test_weights_are_consuls(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """Three quarters of the calls for weight 3 beside weight 1; turned round when the weights are, on the same connections."""
    service = unique("shop")
    async with Recorder() as one, Recorder() as two:
        await register(peer, service, one, 3)
        await register(peer, service, two, 1, 2)
        async with running(tmp_path, config(tmp_path, peer, service)) as gateway, gateway.client() as client:
            await until(lambda: instances(gateway) == 2, "both instances")
            pool = gateway.gateway._pools["bookstore"][1]
            while [each.connections for each in pool.state().endpoints] != [1, 1]:
                await client.get(SHELF)
            for expected in (one, two):
                counts = len(one.calls), len(two.calls)
                for _ in range(100):
                    assert (await client.get(SHELF)).status_code == 200
                gained = len(expected.calls) - counts[0 if expected is one else 1]
                assert 70 <= gained <= 80, gained
                await register(peer, service, one, 1)
                await register(peer, service, two, 3, 2)
                await until(lambda: pool._slots._endpoints[0].weight != pool._slots._endpoints[1].weight, "the weights")
                await until(lambda: _weight(gateway, two.port) == 3, "the weights the other way")
            assert [each.connections for each in pool.state().endpoints] == [1, 1]


def _weight(gateway: RunningGateway, port: int) -> int:
    endpoints = gateway.gateway._pools["bookstore"][1]._slots._endpoints
    return next(each.weight for each in endpoints if each.port == port)


async def test_a_call_that_runs_outlives_its_instance(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """A deregistered instance finishes what it has begun, and its connection ends then."""
    service = unique("shop")
    async with Recorder() as one, Recorder() as two:
        one.default = Reply(delay_s=1.0)
        await register(peer, service, one)
        async with running(tmp_path, config(tmp_path, peer, service)) as gateway, gateway.client() as client:
            slow = asyncio.ensure_future(client.get(SHELF))
            await until(lambda: one.calls, "the call's begin")
            await register(peer, service, two, number=2)
            await deregister(peer, service)
            pool = gateway.gateway._pools["bookstore"][1]
            await until(
                lambda: [each.address for each in pool.state().endpoints] == [two.address], "the instance is gone"
            )
            assert not slow.done()
            assert (await slow).status_code == 200
            await until(lambda: not any(each.open for each in pool._slots._leaving), "its connection is gone")


async def test_a_service_without_an_instance_is_unavailable(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """503 at once once Consul has said so; the log names the reason; with an instance it is well again."""
    service = unique("nowhere")
    async with (
        Recorder() as upstream,
        running(tmp_path, config(tmp_path, peer, service)) as gateway,
        gateway.client() as client,
    ):
        answer = await client.get(SHELF)
        assert (answer.status_code, answer.json()["code"]) == (503, 14)
        assert await ready(gateway) == []
        await register(peer, service, upstream)
        await until(lambda: instances(gateway) == 1, "the instance")
        assert (await client.get(SHELF)).status_code == 200
    assert f"Consul knows no healthy instance of {service}" in (tmp_path / "access.log").read_text()


async def test_consul_that_was_never_there_makes_the_gateway_unready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls wait a moment, then are refused with the reason; when Consul comes, all is well by itself."""
    monkeypatch.setattr("edge.app.followed.HOLD_S", 0.3)
    async with running_double() as double, Recorder() as upstream:
        await register(double, "shop", upstream)
        await double.stop()
        async with running(tmp_path, config(tmp_path, double, "shop")) as gateway, gateway.client() as client:
            answer = await client.get(SHELF)
            assert (answer.status_code, answer.json()["code"]) == (503, 14)
            (reason,) = await ready(gateway)
            assert reason.startswith("upstream bookstore: waiting for Consul:")
            await double.start()
            await until(lambda: instances(gateway) == 1, "the instance")
            assert (await client.get(SHELF)).status_code == 200
            assert await ready(gateway) == []
            await double.stop()
            await asyncio.sleep(0.2)
            assert (await client.get(SHELF)).status_code == 200, "the last good set serves on"


async def test_a_reload_keeps_the_watch_and_gives_a_changed_pool_its_endpoints(
    tmp_path: Path, peer: Peer, unique: Names
) -> None:
    """The same `consul` section is the same watch; another service is another; a section taken out is followed no longer."""
    service, other = unique("shop"), unique("other")
    async with Recorder() as one, Recorder() as two:
        await register(peer, service, one)
        await register(peer, other, two)
        async with running(tmp_path, config(tmp_path, peer, service)) as gateway, gateway.client() as client:
            assert (await client.get(SHELF)).status_code == 200
            mesh = gateway.gateway._mesh
            assert mesh is not None
            watch = mesh.followed["bookstore"]
            await _reload(gateway, tmp_path, config(tmp_path, peer, service, upstream={"max_connections": 2}))
            assert mesh.followed["bookstore"] is watch
            assert instances(gateway) == 1
            assert (await client.get(SHELF)).status_code == 200
            await _reload(gateway, tmp_path, config(tmp_path, peer, other))
            assert mesh.followed["bookstore"] is not watch
            assert (await client.get(SHELF)).status_code == 200
            assert len(two.calls) == 1
            await _reload(gateway, tmp_path, {**config(tmp_path, peer, other), "upstreams": _fixed(one)})
            assert mesh.followed == {}
            assert (await client.get(SHELF)).status_code == 200


async def test_a_sidecars_listener_is_the_endpoint(tmp_path: Path, peer: Peer) -> None:
    """`dial: sidecar` asks Consul nothing."""
    async with Recorder() as upstream:
        found = {"dial": "sidecar", "listener": upstream.address}
        async with (
            running(tmp_path, config(tmp_path, peer, "shop", found=found)) as gateway,
            gateway.client() as client,
        ):
            assert (await client.get(SHELF)).status_code == 200
            assert await ready(gateway) == []


def _fixed(upstream: Recorder) -> dict[str, Any]:
    return {"bookstore": {"endpoints": [upstream.address]}}


async def _reload(gateway: RunningGateway, folder: Path, given: dict[str, Any]) -> None:
    (folder / "edge.yaml").write_text(json.dumps(given))
    await gateway.gateway.reload()

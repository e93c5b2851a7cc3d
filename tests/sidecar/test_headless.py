"""`dns: strict`: every address of a headless Service's name is an endpoint, as the name server tells them, under calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.consul.scenes import until
from tests.gateway import bookstore_config, running
from tests.peers.relay import relayed
from tests.sidecar.resolver import Resolver
from tests.upstreams.bookstore import bookstore
from tests.upstreams.recorder import Recorder

NAME = "books-headless.shop.svc.cluster.local"


async def test_addresses_come_and_go_under_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are balanced over, a new one takes calls, one that is gone takes no more, a look-up that fails changes nothing; no call fails."""
    resolver = Resolver(monkeypatch)
    resolver.zone[NAME] = ["127.0.0.2", "127.0.0.3"]
    outcomes: Counter[int] = Counter()
    async with bookstore() as (address, _):
        to = int(address.rsplit(":", 1)[1])
        async with relayed("127.0.0.2", to) as port, relayed("127.0.0.3", to, port), relayed("127.0.0.4", to, port):
            config = bookstore_config(tmp_path, 0)
            config["upstreams"] = {
                "bookstore": {"endpoints": [f"{NAME}:{port}"], "dns": "strict", "dns_refresh": "30ms"}
            }
            async with running(tmp_path, config) as gateway, gateway.client() as client:
                pool = gateway.gateway._pools["bookstore"][1]

                def used() -> set[str]:
                    return {each.address.rsplit(":", 1)[0] for each in pool.state().endpoints if each.connections}

                async def further_calls() -> None:
                    before = outcomes.total()
                    await until(lambda: outcomes.total() >= before + 20, "calls")

                over = asyncio.Event()

                async def load() -> None:
                    while not over.is_set():
                        outcomes[(await client.get("/v1/shelves/1")).status_code] += 1

                loads = [asyncio.create_task(load()) for _ in range(4)]
                await until(lambda: used() == {"127.0.0.2", "127.0.0.3"}, "both addresses in use")
                await further_calls()
                resolver.zone[NAME] = ["127.0.0.3", "127.0.0.4"]
                await until(lambda: used() == {"127.0.0.3", "127.0.0.4"}, "the new address in use")
                await further_calls()
                resolver.zone[NAME] = OSError("the name server is away")
                asked = resolver.asked
                await until(lambda: resolver.asked > asked + 3, "failing look-ups")
                await further_calls()
                assert used() == {"127.0.0.3", "127.0.0.4"}
                over.set()
                await asyncio.gather(*loads)
    assert set(outcomes) == {200}, outcomes


async def test_a_logical_name_is_one_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a ClusterIP or a load balancer: looked up when dialled, its addresses tried in turn."""
    resolver = Resolver(monkeypatch)
    async with Recorder() as service:
        port = int(service.address.rsplit(":", 1)[1])
        resolver.zone[NAME] = ["127.0.0.9", "127.0.0.1"]  # nobody listens at the first
        config = bookstore_config(tmp_path, 0)
        config["upstreams"] = {"bookstore": {"endpoints": [f"{NAME}:{port}"]}}
        async with running(tmp_path, config) as gateway, gateway.client() as client:
            assert (await client.get("/v1/shelves/1")).status_code == 200
            (endpoint,) = gateway.gateway._pools["bookstore"][1].state().endpoints
            assert endpoint.address == f"{NAME}:{port}"

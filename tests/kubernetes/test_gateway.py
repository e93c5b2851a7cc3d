"""The whole gateway over the pods of a Service: a real API server, real gRPC services as pods, calls without a failure."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.consul.scenes import until
from tests.gateway import bookstore_config, running
from tests.kubernetes.test_real_api import fresh
from tests.peers.kubernetes_api import KubernetesApi, endpoint, slice_of
from tests.peers.relay import own_address, relayed
from tests.upstreams.bookstore import bookstore


@pytest.mark.slow
async def test_pods_come_and_go_under_calls(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    """Not ready before the first set; each pod that is ready takes calls; one that leaves takes no more; none fails."""
    here = own_address()
    if here is None:
        pytest.skip("this machine has a loopback address only, which the API server refuses in a slice")
    space = fresh(kubernetes)
    config = bookstore_config(tmp_path, 0)
    config["kubernetes"] = {"kubeconfig": str(kubernetes.kubeconfig(tmp_path))}
    config["upstreams"] = {"bookstore": {"kubernetes": {"service": "books", "namespace": space, "port": "grpc"}}}
    outcomes: Counter[int] = Counter()
    async with AsyncExitStack() as stack:
        ports = []
        for _ in range(2):
            address, _ = await stack.enter_async_context(bookstore())
            ports.append(await stack.enter_async_context(relayed(here, int(address.rsplit(":", 1)[1]))))
        one, two = (f"{here}:{port}" for port in ports)
        gateway = await stack.enter_async_context(running(tmp_path, config))

        def ready(*which: int) -> None:
            for number, port in enumerate(ports):
                entry = endpoint(here, f"u{number}", ready=number in which)
                kubernetes.put_slice(slice_of(f"s{number}", "books", space, [entry], port=port))

        def addresses() -> set[str]:
            return {each.address for each in gateway.gateway._pools["bookstore"][1].state().endpoints}

        def places_are(expected: set[str]) -> bool:
            return addresses() == expected

        def calls_beyond(number: int) -> bool:
            return outcomes.total() > number

        async with gateway.client() as client, httpx.AsyncClient(base_url=gateway.admin_url, trust_env=False) as admin:
            await until(lambda: "bookstore" in gateway.gateway._locating.located, "the watch")
            assert (await client.get("/v1/shelves/1")).status_code == 503
            refused = await gateway.logged("/v1/shelves/1")
            assert f"Kubernetes knows no ready pod of books.{space}" in str(refused)
            ready(0)
            await until(lambda: addresses() == {one}, "the first pod")
            over = asyncio.Event()

            async def load() -> None:
                while not over.is_set():
                    outcomes[(await client.get("/v1/shelves/1")).status_code] += 1

            loads = [asyncio.create_task(load()) for _ in range(4)]
            for which, expected in (((0, 1), {one, two}), ((1,), {two}), ((0,), {one}), ((0, 1), {one, two})):
                ready(*which)
                await until(partial(places_are, expected), f"{which}")
                before = outcomes.total()
                await until(partial(calls_beyond, before + 40), "calls")
            over.set()
            await asyncio.gather(*loads)
            assert (await admin.get("/readyz")).status_code == 200
            page = (await admin.get("/discovery")).json()["upstreams"]["bookstore"]
            assert (page["service"], page["ready"], page["alarm"]) == (f"books.{space}", True, None)
            metrics = (await admin.get("/metrics")).text
            assert 'edge_discovery_endpoints{upstream="bookstore"} 2.0' in metrics
            assert 'edge_kubernetes_alarm{alarm="denied",upstream="bookstore"} 0.0' in metrics
    assert set(outcomes) == {200}, outcomes

"""
Subsets and datacenters that the gateway itself chooses among, found in Consul. Each against the double and the real agent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.consul.scenes import Peer, asked, until
from tests.consul.test_gateway import SHELF, config, ready
from tests.gateway import RunningGateway, running
from tests.upstreams.recorder import Recorder

Names = Callable[[str], str]


async def register(peer: Peer, service: str, upstream: Recorder, version: str) -> None:
    body = {"Name": service, "ID": f"{service}-{version}", "Address": "127.0.0.1", "Port": upstream.port,
            "Meta": {"version": version}}  # fmt: skip
    status, _, _ = await asked(peer, "PUT", "/v1/agent/service/register", body)
    assert status == 200


async def ways(gateway: RunningGateway) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        (state,) = (await client.get(f"{gateway.admin_url}/ways")).json()
    return {way["way"]: way for way in state["ways"]}


@pytest.mark.parametrize("where", ["upstream", "mesh"])
async def test_versions_share_calls_and_stand_in_for_each_other(
    tmp_path: Path, peer: Peer, unique: Names, where: str
) -> None:
    """By service metadata, exactly; a version without an instance gives its part away and takes it back."""
    service = unique("shop")
    split = {"subsets": {f"v{n}": {"labels": {"version": str(n)}, "weight": w} for n, w in ((1, 75), (2, 25))}}
    mesh_service = {"namespace": "shop", "selector": {"app": "shop"}, "port": 1, "split": {"by": "edge", **split}}
    more: dict[str, Any] = (
        {"upstream": {"split": split}}
        if where == "upstream"
        else {"mesh": {"targets": ["consul"], "services": {"bookstore": mesh_service}}}
    )
    async with Recorder() as one, Recorder() as two:
        await register(peer, service, one, "1")
        await register(peer, service, two, "2")
        async with running(tmp_path, config(tmp_path, peer, service, **more)) as gateway, gateway.client() as client:
            for _ in range(40):
                assert (await client.get(SHELF)).status_code == 200
            assert (len(one.calls), len(two.calls)) == (30, 10)
            assert await ready(gateway) == []
            await asked(peer, "PUT", f"/v1/agent/service/deregister/{service}-2")
            pool = gateway.gateway._pools["bookstore/v2"][1]
            await until(lambda: not pool.state().endpoints, "the second version gone")
            for _ in range(8):
                assert (await client.get(SHELF)).status_code == 200
            assert (len(one.calls), len(two.calls)) == (38, 10)
            assert not (await ways(gateway))["bookstore/v2"]["reachable"]
            await register(peer, service, two, "2")
            await until(lambda: pool.state().endpoints, "the second version back")
            for _ in range(4):
                assert (await client.get(SHELF)).status_code == 200
            assert len(two.calls) == 11


async def test_a_service_without_an_instance_is_stood_in_for(tmp_path: Path, peer: Peer, unique: Names) -> None:
    """By another upstream of the file; a datacenter nobody knows is passed over, and neither makes the gateway unready."""
    service = unique("shop")
    async with Recorder() as own, Recorder() as spare:
        given = config(
            tmp_path, peer, service, upstream={"failover": {"datacenters": ["dc-nowhere"], "upstreams": ["spare"]}}
        )
        given["upstreams"]["spare"] = {"endpoints": [f"127.0.0.1:{spare.port}"]}
        async with running(tmp_path, given) as gateway, gateway.client() as client:
            assert (await client.get(SHELF)).status_code == 200
            assert len(spare.calls) == 1
            assert await ready(gateway) == []
            line = json.loads(json.dumps(await gateway.logged(SHELF)))
            assert line["upstream_via"] == "spare"
            await register(peer, service, own, "1")
            pool = gateway.gateway._pools["bookstore"][1]
            await until(lambda: pool.state().endpoints, "the instance")
            for _ in range(3):
                assert (await client.get(SHELF)).status_code == 200
            assert (len(own.calls), len(spare.calls)) == (3, 1)

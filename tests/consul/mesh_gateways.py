"""
Envoy as a mesh gateway, configured as Consul 1.16 would: it routes on the server name and never ends TLS.

One per datacenter. Names of its own datacenter lead to sidecars, each name a cluster; names of the other one lead to that one's gateway.
A name that is no cluster's gets its connection closed. Source: agent/xds/listeners.go of Consul, makeMeshGatewayListener.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.certs.envoy_sidecar import _address, _cluster
from tests.consul.scenes import Peer, asked
from tests.peers.envoy import _wait_ready, envoy_binary
from tests.peers.ports import free_port

_FILTERS = "type.googleapis.com/envoy.extensions.filters."


@asynccontextmanager
async def mesh_gateway(folder: Path, port: int, leads_to: Mapping[str, int]) -> AsyncIterator[None]:
    """
    A gateway on `port`. `leads_to` maps server names to ports on this machine; one that begins with `*.` is a whole datacenter's.
    """
    binary = envoy_binary()
    assert binary is not None
    admin_port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    path, log = folder / "gateway.json", folder / "gateway.log"
    path.write_text(json.dumps(_configuration(port, admin_port, leads_to)))
    command = [str(binary), "-c", str(path), "--concurrency", "1", "--log-level", "warning", "--use-dynamic-base-id"]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        await asyncio.to_thread(_wait_ready, process, admin_port, log)
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


def _configuration(port: int, admin_port: int, leads_to: Mapping[str, int]) -> dict[str, Any]:
    inspector = {
        "name": "tls_inspector",
        "typed_config": {"@type": _FILTERS + "listener.tls_inspector.v3.TlsInspector"},
    }
    by_name = {
        "name": "envoy.filters.network.sni_cluster",
        "typed_config": {"@type": _FILTERS + "network.sni_cluster.v3.SniCluster"},
    }
    remote = [
        {"filter_chain_match": {"server_names": [name]}, "filters": [_proxy(name)]}
        for name in leads_to
        if name.startswith("*.")
    ]
    chains = [*remote, {"filters": [by_name, _proxy("")]}]
    listener = {"name": "mesh", "address": _address(port), "listener_filters": [inspector], "filter_chains": chains}
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {"listeners": [listener], "clusters": [_cluster(*each) for each in leads_to.items()]},
    }


def _proxy(cluster: str) -> dict[str, Any]:
    settings = {
        "@type": _FILTERS + "network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "mesh",
        "cluster": cluster or "none",
    }
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": settings}


async def register_gateway(peer: Peer, port: int, wan_port: int) -> None:
    """As Consul's own command registers one: another port for other datacenters, so that it is seen which was dialled."""
    body = {
        "Name": "mesh-gateway",
        "Kind": "mesh-gateway",
        "Address": "127.0.0.1",
        "Port": port,
        "TaggedAddresses": {
            "lan": {"Address": "127.0.0.1", "Port": port},
            "wan": {"Address": "127.0.0.1", "Port": wan_port},
        },
    }
    status, told, _ = await asked(peer, "PUT", "/v1/agent/service/register", body)
    assert status == 200, told

"""
A real Envoy as the proxy beside the gateway, configured as Istio configures an outbound HTTP port.

Virtual hosts by the Service's names, with and without the port; all else is nobody's, as with REGISTRY_ONLY. grpc-timeout is honoured
without a cap, UNAVAILABLE is retried twice, pods are balanced over: Istio's defaults. Its access log says what each request looked like.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.envoy import _address, _cluster, _wait_ready, envoy_binary
from tests.peers.ports import free_port

NAME = "books.shop.svc.cluster.local"
_TYPE = "type.googleapis.com/envoy.extensions"


@dataclass(frozen=True)
class Proxy:
    """A running one."""

    port: int
    log: Path

    def requests(self) -> list[dict[str, str]]:
        """Each as the proxy saw it: authority, protocol, connection, headers of interest."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@contextmanager
def running_proxy(folder: Path, pods: Sequence[int]) -> Iterator[Proxy]:
    """Start it, wait until it is ready, end it."""
    binary = envoy_binary()
    assert binary is not None, "Envoy is not installed: run make setup"
    port, admin = free_port(), free_port()
    path, log, access = folder / "proxy.json", folder / "proxy.log", folder / "proxy-access.log"
    path.write_text(json.dumps(_configuration(port, admin, access, pods)))
    command = [str(binary), "-c", str(path), "--concurrency", "1", "--log-level", "warning", "--use-dynamic-base-id"]
    command += ["--file-flush-interval-msec", "100"]  # of its access log, which is read: ten seconds unless told
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        _wait_ready(process, admin, log)
        yield Proxy(port, access)
    finally:
        process.terminate()
        process.wait(20)


def _configuration(port: int, admin: int, access: Path, pods: Sequence[int]) -> dict[str, Any]:
    route = {
        "cluster": "upstream",
        "timeout": "0s",
        "max_stream_duration": {"max_stream_duration": "0s", "grpc_timeout_header_max": "0s"},
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
            "num_retries": 2,
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {"@type": f"{_TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
                }
            ],
        },
    }
    names = [NAME, NAME.removesuffix(".cluster.local"), "books.shop"]
    hosts: list[dict[str, Any]] = [
        {
            "name": "books",
            "domains": [*names, *(f"{name}:{port}" for name in names)],
            "routes": [{"match": {"prefix": "/"}, "route": route}],
        },
        {
            "name": "nobody",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 502}}],
        },
    ]
    log = {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{_TYPE}.access_loggers.file.v3.FileAccessLog",
            "path": str(access),
            "log_format": {
                "json_format": {
                    "authority": "%REQ(:AUTHORITY)%",
                    "protocol": "%PROTOCOL%",
                    "connection": "%CONNECTION_ID%",
                    "timeout": "%REQ(GRPC-TIMEOUT)%",
                    "override": "%REQ(L5D-DST-OVERRIDE)%",
                }
            },
        },
    }
    manager = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "outbound",
        "codec_type": "AUTO",
        "access_log": [log],
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router"}}
        ],
        "route_config": {"virtual_hosts": hosts},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    cluster = _cluster(0)
    endpoints = [{"endpoint": {"address": _address(pod)}} for pod in pods]
    cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [{"name": "outbound", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [cluster],
        },
    }

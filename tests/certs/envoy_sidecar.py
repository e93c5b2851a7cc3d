"""
A real Envoy as a mesh sidecar: mTLS by SPIFFE ID on one side, plaintext on the other, in both directions.

Inbound it demands the caller's certificate and admits by RBAC on its URI, as Consul configures it; outbound it dials with TLS and checks
the URI of whom it reaches. Its TLS is BoringSSL: a second opinion on every certificate of ours.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.envoy import _wait_ready, envoy_binary
from tests.peers.ports import free_port

_TYPE = "type.googleapis.com/envoy.extensions."


@dataclass(frozen=True)
class Sidecar:
    """What it is to do. `certificate`, `key`, `roots` are PEM files."""

    certificate: Path
    key: Path
    roots: Path
    caller: str
    """The only SPIFFE ID that may call in (a regular expression)."""
    service_port: int
    """Where it passes calls on to, in plaintext."""
    reaches: str
    """The SPIFFE ID of whom it dials out to."""
    reached_port: int
    newest_tls: str = "TLSv1_3"
    inbound_port: int = 0
    """Where it listens for callers; 0: anywhere."""


@dataclass(frozen=True)
class Ports:
    """Where it listens."""

    inbound: int
    outbound: int


@contextmanager
def running(folder: Path, what: Sidecar) -> Iterator[Ports]:
    """Start it, wait until it is ready, end it."""
    binary = envoy_binary()
    assert binary is not None, "Envoy is not installed: run make setup"
    ports, admin_port = Ports(what.inbound_port or free_port(), free_port()), free_port()
    path, log = folder / "sidecar.json", folder / "sidecar.log"
    path.write_text(json.dumps(_configuration(what, ports, admin_port)))
    command = [str(binary), "-c", str(path), "--concurrency", "1", "--log-level", "warning", "--use-dynamic-base-id"]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        _wait_ready(process, admin_port, log)
        yield ports
    finally:
        process.terminate()
        process.wait(20)


def _configuration(what: Sidecar, ports: Ports, admin_port: int) -> dict[str, Any]:
    may_call = {
        "action": "ALLOW",
        "policies": {
            "intentions": {
                "permissions": [{"any": True}],
                "principals": [{"authenticated": {"principal_name": {"safe_regex": {"regex": what.caller}}}}],
            }
        },
    }
    rbac = {
        "name": "envoy.filters.network.rbac",
        "typed_config": {"@type": _TYPE + "filters.network.rbac.v3.RBAC", "stat_prefix": "in", "rules": may_call},
    }
    inbound = _listener(ports.inbound, [rbac, _proxy("service")])
    inbound["filter_chains"][0]["transport_socket"] = _tls(
        "DownstreamTlsContext", what, {"require_client_certificate": True}, {"alpn_protocols": ["h2", "http/1.1"]}
    )
    reaching = _cluster("mesh", what.reached_port)
    by_uri = [{"san_type": "URI", "matcher": {"exact": what.reaches}}]
    reaching["transport_socket"] = _tls(
        "UpstreamTlsContext",
        what,
        {"sni": "edge.internal"},
        {"alpn_protocols": ["h2"]},
        {"match_typed_subject_alt_names": by_uri},
    )
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {
            "listeners": [inbound, _listener(ports.outbound, [_proxy("mesh")])],
            "clusters": [_cluster("service", what.service_port), reaching],
        },
    }


def _tls(
    kind: str, what: Sidecar, more: dict[str, Any], common: dict[str, Any], matching: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "name": "tls",
        "typed_config": {
            "@type": f"{_TYPE}transport_sockets.tls.v3.{kind}",
            **more,
            "common_tls_context": {
                "tls_params": {"tls_maximum_protocol_version": what.newest_tls},
                "tls_certificates": [
                    {
                        "certificate_chain": {"filename": str(what.certificate)},
                        "private_key": {"filename": str(what.key)},
                    }
                ],
                "validation_context": {"trusted_ca": {"filename": str(what.roots)}, **(matching or {})},
                **common,
            },
        },
    }


def _listener(port: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": f"on {port}", "address": _address(port), "filter_chains": [{"filters": filters}]}


def _proxy(cluster: str) -> dict[str, Any]:
    settings = {"@type": _TYPE + "filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": cluster, "cluster": cluster}
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": settings}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

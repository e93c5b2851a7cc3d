"""
Envoy under a variant: the configuration of `tests/peers/envoy.py`, and what the variant adds.

Owns that Envoy does what the gateway does, no more: as many workers, HTTP/2 to the service, an access log of the same fields in JSON, a
local rate limit that never refuses. Its buffers are raised from 1 MiB to the gateway's 4 MiB, since a body of 1 MB does not pass otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.scenes import SERVICES
from tests.bench.server_process import Server, cores, started
from tests.bench.site import NAME, Certificates, Site
from tests.bench.variants import ENVOY, Variant
from tests.peers import envoy
from tests.peers.ports import free_port

BUFFER_BYTES = 4 * 1024 * 1024
_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_LOGGED = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "rpc": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "grpc_code": "%GRPC_STATUS%",
    "request_bytes": "%BYTES_RECEIVED%",
    "response_bytes": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "upstream": "%UPSTREAM_HOST%",
    "peer": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "fault": "%RESPONSE_FLAGS%",
    "user_agent": "%REQ(USER-AGENT)%",
}


def available() -> bool:
    """Whether it is installed."""
    return envoy.envoy_binary() is not None


def configuration(variant: Variant, site: Site, port: int, admin_port: int, log: Path) -> dict[str, Any]:
    """The bootstrap for the variant."""
    upstream_port = site.mtls_port if variant.upstream_tls else site.plain_port
    made = envoy.configuration(port, admin_port, envoy.Transcoding(site.for_envoy, SERVICES, upstream_port))
    resources = made["static_resources"]
    listener, cluster = resources["listeners"][0], resources["clusters"][0]
    chain = listener["filter_chains"][0]
    listener["per_connection_buffer_limit_bytes"] = cluster["per_connection_buffer_limit_bytes"] = BUFFER_BYTES
    if variant.policies:
        manager = chain["filters"][0]["typed_config"]
        manager["access_log"] = [_access_log(log)]
        manager["http_filters"].insert(0, _rate_limit())
    if variant.downstream_tls:
        chain["transport_socket"] = _tls("Downstream", _common(site.certificates, ["h2", "http/1.1"]))
    if variant.upstream_tls:
        common = {**_common(site.certificates, ["h2"]), "validation_context": _validation(site.certificates)}
        cluster["transport_socket"] = _tls("Upstream", common, sni=NAME)
    return made


def _access_log(path: Path) -> dict[str, Any]:
    kind = f"{_EXTENSIONS}.access_loggers.file.v3.FileAccessLog"
    config = {"@type": kind, "path": str(path), "log_format": {"json_format": _LOGGED}}
    return {"name": "envoy.access_loggers.file", "typed_config": config}


def _rate_limit() -> dict[str, Any]:
    everyone = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    config = {
        "@type": f"{_EXTENSIONS}.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit",
        "token_bucket": {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"},
        "filter_enabled": everyone,
        "filter_enforced": everyone,
    }
    return {"name": "envoy.filters.http.local_ratelimit", "typed_config": config}


def _common(certificates: Certificates, alpn: list[str]) -> dict[str, Any]:
    pair = {
        "certificate_chain": {"filename": str(certificates.cert)},
        "private_key": {"filename": str(certificates.key)},
    }
    return {"alpn_protocols": alpn, "tls_certificates": [pair]}


def _validation(certificates: Certificates) -> dict[str, Any]:
    name = {"san_type": "DNS", "matcher": {"exact": NAME}}
    return {"trusted_ca": {"filename": str(certificates.ca)}, "match_typed_subject_alt_names": [name]}


def _tls(side: str, common: dict[str, Any], **more: str) -> dict[str, Any]:
    kind = f"{_EXTENSIONS}.transport_sockets.tls.v3.{side}TlsContext"
    config = {"@type": kind, "common_tls_context": common, **more}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


@contextmanager
def running_envoy(variant: Variant, site: Site) -> Iterator[Server]:
    """Start it, end it."""
    binary = envoy.envoy_binary()
    assert binary is not None, "Envoy is not installed: run make setup"
    port, admin_port = free_port(), free_port()
    path = site.folder / f"envoy-{port}.json"
    log = site.folder / f"envoy-{port}-access.log"
    path.write_text(json.dumps(configuration(variant, site, port, admin_port, log)))
    command = [str(binary), "-c", str(path), "--concurrency", str(variant.workers)]
    command += ["--log-level", "warning", "--use-dynamic-base-id"]
    ready = f"http://127.0.0.1:{admin_port}/ready"
    with started(command, path.with_suffix(".log"), ready, on=cores(variant)) as pid:
        yield Server(ENVOY, port, pid, tls=variant.downstream_tls)

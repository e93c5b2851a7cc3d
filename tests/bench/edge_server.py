"""
The gateway under a variant.

Owns its configuration; what `policies` means is a file beside this one (policies.yaml), so that a new policy is a line there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from edge.app.policies import names
from edge.wire.engines import engine
from tests.bench.scenes import SERVICES
from tests.bench.server_process import Server, cores, started
from tests.bench.site import NAME, Site
from tests.bench.variants import EDGE, Variant
from tests.peers.ports import free_port

POLICIES = Path(__file__).with_name("policies.yaml")


def engine_name() -> str:
    """The engine it runs with, chosen as the gateway itself chooses it."""
    return engine().name


def policy_names() -> list[str]:
    """The policies it has, in order."""
    return names()


def configuration(variant: Variant, site: Site, port: int, admin_port: int, log: Path) -> dict[str, Any]:
    """What an operator would write for the variant."""
    added = yaml.safe_load(POLICIES.read_text()) if variant.policies else {"file": {}, "api": {}, "upstream": {}}
    pair = {"cert": str(site.certificates.cert), "key": str(site.certificates.key)}
    upstream_port = site.mtls_port if variant.upstream_tls else site.plain_port
    upstream = {"endpoints": [f"127.0.0.1:{upstream_port}"], **added["upstream"]}
    if variant.upstream_tls:
        upstream["tls"] = {"ca": str(site.certificates.ca), "server_name": NAME, **pair}
    listener: dict[str, Any] = {"bind": f"127.0.0.1:{port}"}
    if variant.downstream_tls:
        listener["tls"] = pair
    api = {"name": "bench", "descriptors": str(site.descriptors), "services": list(SERVICES), "upstream": "bench"}
    return {
        "listeners": [listener],
        "admin": {"bind": f"127.0.0.1:{admin_port}"},
        "access_log": {"path": str(log)} if variant.policies else {"enabled": False},
        "apis": [{**api, **added["api"]}],
        "upstreams": {"bench": upstream},
        **added["file"],
    }


@contextmanager
def running_edge(variant: Variant, site: Site) -> Iterator[Server]:
    """Start it, end it."""
    port, admin_port = free_port(), free_port()
    path = site.folder / f"edge-{port}.yaml"
    log = site.folder / f"edge-{port}-access.log"
    path.write_text(json.dumps(configuration(variant, site, port, admin_port, log)))  # JSON is YAML
    command = [sys.executable, "-m", "edge", "run", "-c", str(path), "--workers", str(variant.workers)]
    ready = f"http://127.0.0.1:{admin_port}/readyz"
    with started(command, path.with_suffix(".log"), ready, on=cores(variant)) as pid:
        yield Server(EDGE, port, pid, tls=variant.downstream_tls)

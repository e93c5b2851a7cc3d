"""
Before anything is measured: do all servers give the answer that is meant, so that they do the same work?

Fields that hold their default are left aside (grpc-gateway prints them), and so is the form of a stream: an array, or lines.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from typing import Any

from tests.bench import h2load
from tests.bench.scenes import Scene
from tests.bench.server_process import Server
from tests.bench.site import Site


class UnequalWorkError(AssertionError):
    """A server answers a scene otherwise than the service does; the text says how."""


def hold_equal(servers: list[Server], scene: Scene, site: Site) -> None:
    """Ask each once. Raises UnequalWorkError."""
    for server in servers:
        if scene.grpc:
            h2load.check(server.port, scene)
        else:
            compare(server.name, scene, _ask(server, scene, site))


def compare(name: str, scene: Scene, body: bytes) -> None:
    """One server's answer with what is meant. Raises UnequalWorkError."""
    seen, meant = _meaning(body), _without_defaults(scene.expected)
    if scene.messages > 1:
        meant = [meant] * scene.messages
    if seen != meant:
        raise UnequalWorkError(f"{scene.name}: {name} answers {str(seen)[:300]}, not {str(meant)[:300]}")


def _ask(server: Server, scene: Scene, site: Site) -> bytes:
    context = ssl.create_default_context(cafile=str(site.certificates.ca)) if server.tls else None
    url = f"{'https' if server.tls else 'http'}://127.0.0.1:{server.port}{scene.path}"
    headers = {"Content-Type": "application/json"} if scene.body else {}
    request = urllib.request.Request(url, scene.body or None, headers, method=scene.method)
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        body: bytes = answer.read()
    return body


def _meaning(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        value = [json.loads(line)["result"] for line in body.splitlines() if line]
    return _without_defaults(value)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_defaults(each) for name, each in value.items() if not _is_default(each)}
    return [_without_defaults(each) for each in value] if isinstance(value, list) else value


def _is_default(value: Any) -> bool:
    return value in (None, "", 0, "0", [], {}) or (isinstance(value, str) and value.endswith("_UNSPECIFIED"))

"""
A real grpc-gateway (grpc_gateway/main.go), as the second opinion on the profile of its name.

`make grpc-gateway` builds it into .cache; without it, its tests are skipped.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts import fetch_grpc_gateway

needs_grpc_gateway = pytest.mark.skipif(
    not fetch_grpc_gateway.fetched(),
    reason="no grpc-gateway in .cache: `make grpc-gateway` builds it (needs Go and its module proxy)",
)


@contextmanager
def running_grpc_gateway(upstream_port: int) -> Iterator[str]:
    """Run it before a service of the bookstore's; its URL."""
    command = [str(fetch_grpc_gateway.PROGRAM), f"127.0.0.1:{upstream_port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()

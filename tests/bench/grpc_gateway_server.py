"""
The second peer, under the bare variant: a grpc-gateway (tests/peers/grpc_gateway) that speaks plaintext both ways and has no policies.

It runs on one thread of Go's (GOMAXPROCS=1), as the others run on one worker. It takes no gRPC from clients.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from scripts import fetch_grpc_gateway
from tests.bench.server_process import Server, cores
from tests.bench.site import Site
from tests.bench.variants import GRPC_GATEWAY, Variant


def available() -> bool:
    """Whether `make grpc-gateway` has built it."""
    return fetch_grpc_gateway.fetched()


@contextmanager
def running_grpc_gateway(variant: Variant, site: Site) -> Iterator[Server]:
    """Start it, end it. It says on its first line where it listens."""
    command = ["taskset", "-c", cores(variant), str(fetch_grpc_gateway.PROGRAM), f"127.0.0.1:{site.plain_port}"]
    environment = {**os.environ, "GOMAXPROCS": str(variant.workers)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield Server(GRPC_GATEWAY, int(process.stdout.readline()), process.pid)
        finally:
            process.kill()

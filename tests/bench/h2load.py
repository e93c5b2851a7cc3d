"""
The load generator for gRPC: h2load (Debian package nghttp2-client), pinned like wrk and bounded alike.

h2load sees HTTP, not gRPC: `check` asks first, with a client that knows better, whether the answer is the one to be measured.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import grpc

from tests.bench.scenes import Scene
from tests.bench.wrk import Load

STREAMS = 8
"""Calls at once on a connection: gRPC clients share few of them."""


def available() -> bool:
    """Whether h2load is installed."""
    return shutil.which("h2load") is not None


def check(port: int, scene: Scene) -> None:
    """One call, whose answer must be the scene's. Raises grpc.RpcError when it fails."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = channel.unary_unary(scene.rpc_path, None, None)(scene.body[5:], timeout=10)
    if answer != scene.answer:
        raise AssertionError(f"{scene.name}: another answer than the upstream's")


def run(port: int, scene: Scene, folder: Path, *, seconds: int, connections: int, core: int) -> Load:
    """Load `scene` for `seconds` with so many calls at once."""
    check(port, scene)
    body, log = folder / "h2load.body", folder / "h2load.log"
    body.write_bytes(scene.body)
    log.unlink(missing_ok=True)
    command = [
        *("taskset", "-c", str(core), "h2load", "-t1", f"-c{max(1, connections // STREAMS)}", f"-m{STREAMS}"),
        *(f"-D{seconds}", "-d", str(body), f"--log-file={log}"),
        *("-H", "content-type: application/grpc", "-H", "te: trailers"),
        f"http://127.0.0.1:{port}{scene.rpc_path}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True)
    return _parse(done.stdout, log.read_text(), seconds)


def _parse(text: str, log: str, seconds: float) -> Load:
    counts = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    assert counts is not None, text
    succeeded, *bad = map(int, counts.groups())
    # Start in microseconds, status, duration in microseconds.
    took_us = sorted(int(line.split("\t")[2]) for line in log.splitlines())
    p50_ms, p99_ms = (took_us[int(len(took_us) * share)] / 1000 for share in (0.5, 0.99))
    return Load(succeeded, sum(bad), seconds, p50_ms, p99_ms)

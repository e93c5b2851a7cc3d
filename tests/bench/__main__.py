"""
`python -m tests.bench`: CPU per request of the gateway as a ratio to Envoy's, in one run on one core, in alternating rounds.

Both get the same descriptor set, the same upstream and the same load; gateway and Envoy share core 0, upstream and load core 1.
A streamed answer counts by its messages. The table gives medians over the rounds; only the ratios mean anything on a shared machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import backend, h2load, wrk
from tests.bench.process_cpu import cpu_s, rss_bytes
from tests.bench.scenes import SERVICES, Scene, descriptor_set, scenes, write_answers
from tests.peers.envoy import Transcoding, free_port, running_envoy, without_response_body

GATEWAY_CORE, LOAD_CORE = 0, 1
STREAMS_FEWER = 4
"""Streams at once, as a fraction of requests at once: what is not finished when the time is up is not counted."""


@dataclass(frozen=True)
class Sample:
    """One round of one server under one scene."""

    cpu_us: float
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


@contextmanager
def running_edge(folder: Path, compiled: Path, upstream_port: int) -> Iterator[tuple[int, int]]:
    """The gateway on one worker, pinned; gives port and pid."""
    port, admin_port = free_port(), free_port()
    config = folder / "edge.yaml"
    config.write_text(
        f"listeners: [{{bind: '127.0.0.1:{port}'}}]\nadmin: {{bind: '127.0.0.1:{admin_port}'}}\n"
        f"access_log: {{path: {folder / 'access.log'}}}\n"
        f"apis: [{{name: bench, descriptors: {compiled}, services: [{', '.join(SERVICES)}], upstream: bench}}]\n"
        f"upstreams: {{bench: {{endpoints: ['127.0.0.1:{upstream_port}']}}}}\n"
    )
    command = ["taskset", "-c", str(GATEWAY_CORE), sys.executable, "-m", "edge", "run", "-c", str(config)]
    with (folder / "edge.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_ready(admin_port, folder / "edge.log")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(40)


def _wait_ready(admin_port: int, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the gateway was not ready in 30 s:\n{log.read_text()}")


def sample(port: int, pid: int, scene: Scene, folder: Path, seconds: float, connections: int) -> Sample:
    """Load one server once."""
    generator = h2load if scene.grpc else wrk
    before = cpu_s(pid)
    at_once = max(1, connections // STREAMS_FEWER) if scene.messages > 1 else connections
    load = generator.run(port, scene, folder, seconds=seconds, connections=at_once, core=LOAD_CORE)
    spent = cpu_s(pid) - before
    done = load.requests * scene.messages
    return Sample(spent / max(1, done) * 1e6, done / load.seconds, load.p50_ms, load.p99_ms, load.errors)


def measure(folder: Path, rounds: int, seconds: int, connections: int) -> list[str]:
    """Run all scenes in alternating rounds; the table's lines."""
    compiled = descriptor_set()
    binary = folder / "bookstore.binpb"
    binary.write_bytes(compiled)
    for_envoy = folder / "envoy.binpb"
    for_envoy.write_bytes(without_response_body(compiled))
    plan = scenes(compiled)
    write_answers(folder / "answers", plan)
    lines = [
        "| work | edge µs CPU | Envoy µs CPU | ratio (min-max) | edge /s | Envoy /s | edge p50/p99 ms | Envoy p50/p99 ms | errors |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with (
        backend.running_backend(folder, core=LOAD_CORE) as upstream_port,
        running_envoy(
            folder, Transcoding(for_envoy, SERVICES, upstream_port), prefix=("taskset", "-c", str(GATEWAY_CORE))
        ) as envoy,
        running_edge(folder, binary, upstream_port) as (port, pid),
    ):
        for scene in plan:
            pairs = []
            sample(port, pid, scene, folder, 1, connections)  # warm up
            for number in range(rounds):
                print(f"{scene.name}: round {number + 1} of {rounds}", file=sys.stderr)
                ours = sample(port, pid, scene, folder, seconds, connections)
                theirs = sample(envoy.port, envoy.pid, scene, folder, seconds, connections)
                pairs.append((ours, theirs))
            lines.append(_row(scene, pairs))
        lines.append(f"\nmemory after the run: edge {rss_bytes(pid) >> 20} MiB, Envoy {rss_bytes(envoy.pid) >> 20} MiB")
    return lines


def _row(scene: Scene, pairs: list[tuple[Sample, Sample]]) -> str:
    ratios = [ours.cpu_us / theirs.cpu_us for ours, theirs in pairs]
    ours, theirs = (_median([pair[side] for pair in pairs]) for side in (0, 1))
    return (
        f"| {scene.name} | {ours.cpu_us:.0f} | {theirs.cpu_us:.0f} | **{statistics.median(ratios):.2f}** "
        f"({min(ratios):.2f}-{max(ratios):.2f}) | {ours.per_s:.0f} | {theirs.per_s:.0f} | {ours.p50_ms:.2f}/{ours.p99_ms:.2f} "
        f"| {theirs.p50_ms:.2f}/{theirs.p99_ms:.2f} | {ours.errors}/{theirs.errors} |"
    )


def _median(samples: list[Sample]) -> Sample:
    return Sample(
        statistics.median(s.cpu_us for s in samples),
        statistics.median(s.per_s for s in samples),
        statistics.median(s.p50_ms for s in samples),
        statistics.median(s.p99_ms for s in samples),
        sum(s.errors for s in samples),
    )


def main() -> int:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    if not (wrk.available() and h2load.available() and backend.available()):
        print(
            "make bench needs wrk, h2load and nginx; on Debian: apt-get install wrk nghttp2-client nginx-light",
            file=sys.stderr,
        )
        return 2
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(measure(Path(folder), given.rounds, given.seconds, given.connections)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

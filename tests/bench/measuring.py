"""
The measurements: load in alternating rounds, latency at a fixed rate, memory of idle connections.

Owns the alternation. In every round each server has its turn, and a ratio is taken between turns of one round: what the machine does to
one, it does to the other a moment later.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from tests.bench import (
    answers,
    edge_server,
    envoy_server,
    grpc_gateway_server,
    h2load,
    idle_memory,
    open_loop,
    scaling,
    wrk,
)
from tests.bench.findings import Findings, Sample
from tests.bench.process_cpu import cpu_s, family
from tests.bench.scenes import Scene
from tests.bench.server_process import Server
from tests.bench.site import LOAD_CORE, Site
from tests.bench.variants import BARE, ENVOY, GRPC_GATEWAY, TLS, VARIANTS, Variant
from tests.bench.wrk import Load

WARM_UP_S = 1


@dataclass(frozen=True)
class Effort:
    """How much of everything; `wanted` says by its name whether a row is measured."""

    rounds: int
    seconds: int
    idle: int
    wanted: Callable[[str], bool]

    def scenes(self, variant: Variant, site: Site) -> list[Scene]:
        """Those of a variant that are wanted."""
        return [
            scene
            for scene in site.scenes
            if variant.measures(scene.name) and self.wanted(f"{scene.name}, {variant.name}")
        ]


@contextmanager
def servers(variant: Variant, site: Site) -> Iterator[list[Server]]:
    """The gateway and its peers under the variant, all running; those that rest cost nothing."""
    with ExitStack() as stack:
        running = [stack.enter_context(edge_server.running_edge(variant, site))]
        if ENVOY in variant.peers:
            running.append(stack.enter_context(envoy_server.running_envoy(variant, site)))
        if GRPC_GATEWAY in variant.peers and grpc_gateway_server.available():
            running.append(stack.enter_context(grpc_gateway_server.running_grpc_gateway(variant, site)))
        yield running


def measure(site: Site, effort: Effort) -> Findings:
    """Everything that is wanted."""
    findings = Findings()
    for variant in VARIANTS:
        under_load(variant, site, effort, findings)
    if effort.wanted(scaling.ROW):
        scaling.measure(site, effort.rounds, effort.seconds, partial(_told_sample, site), findings)
    if effort.wanted("half load"):
        at_half_load(site, effort, findings)
    for variant, row in ((BARE, "idle connection"), (TLS, "idle TLS connection")):
        if effort.wanted(row):
            at_rest(variant, row, site, effort, findings)
    return findings


def under_load(variant: Variant, site: Site, effort: Effort, findings: Findings) -> None:
    """CPU per request, throughput and latency with as many requests at once as the scene says."""
    wanted = effort.scenes(variant, site)
    if not wanted:
        return
    with servers(variant, site) as running:
        for scene in wanted:
            able = [server for server in running if not (scene.grpc and server.name == GRPC_GATEWAY)]
            site.answer(scene)
            answers.hold_equal(able, scene, site)
            for server in able:
                load(server, scene, site, WARM_UP_S)  # warm up
            for number in range(effort.rounds):
                _progress(f"{scene.name}, {variant.name}: round {number + 1} of {effort.rounds}")
                for server in able:
                    findings.add(variant.name, scene.name, server.name, sample(server, scene, site, effort.seconds))
        for server in running:
            findings.resident[f"{variant.name}: {server.name}"] = idle_memory.resident_bytes(server)


def load(server: Server, scene: Scene, site: Site, seconds: int) -> Load:
    """One run of the load generator."""
    run = h2load.run if scene.grpc else partial(wrk.run, tls=server.tls)
    return run(server.port, scene, site.folder, seconds=seconds, connections=scene.at_once, core=LOAD_CORE)


def sample(server: Server, scene: Scene, site: Site, seconds: int) -> Sample:
    """One round of one server."""
    processes = family(server.pid)
    before, begin = sum(map(cpu_s, processes)), time.monotonic()
    seen = load(server, scene, site, seconds)
    spent, lasted = sum(map(cpu_s, processes)) - before, time.monotonic() - begin
    done = seen.requests * scene.messages
    return Sample(
        cpu_us=spent / max(1, done) * 1e6,
        per_s=done / seen.seconds,
        busy=spent / lasted,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        errors=seen.errors,
    )


def _told_sample(site: Site, seconds: int, server: Server, scene: Scene, text: str) -> Sample:
    _progress(text)
    return sample(server, scene, site, seconds)


def at_half_load(site: Site, effort: Effort, findings: Findings) -> None:
    """Latency at half of what Envoy can do at most, for each server and for none (the service's own files over HTTP/1.1)."""
    scene = site.scenes[0]
    direct = scene.rpc_path
    site.answer(scene)
    with servers(BARE, site) as running:
        envoy = next(server for server in running if server.name == ENVOY)
        _progress("half load: how much Envoy can do")
        most = max(load(envoy, scene, site, effort.seconds).requests / effort.seconds for _ in range(2))
        for server in running:
            load(server, scene, site, WARM_UP_S)  # warm up
        for number in range(effort.rounds):
            _progress(f"half load, {most / 2:.0f} a second: round {number + 1} of {effort.rounds}")
            turns = [("none", site.direct_port, direct), *((each.name, each.port, scene.path) for each in running)]
            for name, port, path in turns:
                pace = open_loop.run(port, path, most / 2, effort.seconds, core=LOAD_CORE)
                findings.paces.setdefault(name, []).append(pace)


def at_rest(variant: Variant, row: str, site: Site, effort: Effort, findings: Findings) -> None:
    """Memory per idle connection; every round on servers newly started, for what was freed is not given back."""
    site.answer(site.scenes[0])
    for number in range(min(3, effort.rounds)):
        _progress(f"{row}: round {number + 1} of {min(3, effort.rounds)}")
        with servers(variant, site) as running:
            for server in running:
                each = idle_memory.bytes_each(server, site.scenes[0], site, effort.idle)
                findings.idle.setdefault(row, {}).setdefault(server.name, []).append(each)


def _progress(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)

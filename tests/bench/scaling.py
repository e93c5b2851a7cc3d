"""
What a second worker is worth: the throughput of two by that of one of the same server, in rounds.

Owns the choice of work: that which costs load and service little beside the server, for all share the two cores there are. What these two
need stands beside the ratio as what is missing from two cores in use.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from tests.bench import answers, edge_server, envoy_server
from tests.bench.findings import Findings, Sample, ratio
from tests.bench.scenes import Scene
from tests.bench.server_process import Server
from tests.bench.site import Site
from tests.bench.variants import BARE

ROW = "two workers"
_SCENES = ("POST 1 MB", "a message of a stream")
_PACKED = "POST 1 MB"
"""Also with its answer compressed, which costs the gateway much and the others nothing; not Envoy, which is set up without."""
_AT_ONCE = 16
_SECONDS = 3
"""At least, per turn: of 1 MB, a slow server finishes sixteen in one."""

_HEAD = (
    "| work | server | one worker: a second | two | two by one (min-max) | cores two used | CPU of two by one (min-max) | errors |",
    "|---|---|---|---|---|---|---|---|",
)

Take = Callable[[int, Server, Scene, str], Sample]
"""So many seconds of one server; the text is for who watches."""


def measure(site: Site, rounds: int, seconds: int, take: Take, findings: Findings) -> None:
    """All four servers run; those that rest cost nothing."""
    with ExitStack() as stack:
        one, two = (
            [stack.enter_context(run(variant, site)) for run in (edge_server.running_edge, envoy_server.running_envoy)]
            for variant in (BARE, replace(BARE, workers=2))
        )
        for scene in _scenes(site):
            site.answer(scene)
            answers.hold_equal([*one, *two], scene, site)
            pairs = list(zip(one, two, strict=True))[: 1 if scene.accepts else None]
            for number in range(rounds + 1):
                text = f"{scene.name}, {ROW}: round {number} of {rounds}"
                for alone, both in pairs:
                    taken = [take(max(seconds, _SECONDS), server, scene, text) for server in (alone, both)]
                    if number:  # the first warms up
                        findings.scaling.setdefault(scene.name, {}).setdefault(alone.name, []).append(
                            (taken[0], taken[1])
                        )


def _scenes(site: Site) -> list[Scene]:
    chosen = [replace(scene, at_once=_AT_ONCE) for scene in site.scenes if scene.name.startswith(_SCENES)]
    return chosen + [
        replace(scene, name=f"{scene.name}, answer in br", accepts="br") for scene in chosen if scene.name == _PACKED
    ]


def table(findings: Findings) -> list[str]:
    """Its part of the page."""
    if not findings.scaling:
        return []
    rows = [_row(scene, name, pairs) for scene, servers in findings.scaling.items() for name, pairs in servers.items()]
    return [f"## {ROW.capitalize()} by one: {_AT_ONCE} connections, bare", "", *_HEAD, *rows, ""]


def _row(scene: str, name: str, pairs: list[tuple[Sample, Sample]]) -> str:
    one, two = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    speed = ratio([s.per_s for s in two], [s.per_s for s in one])
    cpu = ratio([s.cpu_us for s in two], [s.cpu_us for s in one])
    errors = sum(sample.errors for pair in pairs for sample in pair)
    per_s = [statistics.median(s.per_s for s in samples) for samples in (one, two)]
    cores = statistics.median(s.busy for s in two)
    return f"| {scene} | {name} | {per_s[0]:.0f} | {per_s[1]:.0f} | {speed} | {cores:.2f} | {cpu} | {errors} |"

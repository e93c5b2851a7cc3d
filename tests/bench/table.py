"""
The Markdown of a run.

Owns that no figure stands without its conditions: machine, versions and command come first, errors are in their row.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tests.bench import scaling
from tests.bench.findings import Findings, Sample, ratio
from tests.bench.open_loop import Pace
from tests.bench.variants import EDGE

PICTURE = "ratios.png"
_LOAD_HEAD = (
    "| work | server | CPU µs | ratio to it (min-max) | per CPU second | a second | cores | p50 ms | p99 ms | errors |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
_PACE_HEAD = (
    "| server | p50 ms | p99 ms (min-max) | p99 added ms | p99.9 ms | answered a second | client late p99 ms | errors | unanswered |",
    "|---|---|---|---|---|---|---|---|---|",
)


def markdown(findings: Findings, facts: dict[str, str], command: str, *, picture: bool) -> str:
    """The page."""
    lines = ["# Results", "", "Made by `make bench`; what the rows mean stands in [README.md](README.md).", ""]
    lines += [f"* {name}: {text}" for name, text in facts.items()]
    lines += [f"* command: `{command}`", ""]
    if picture:
        lines += [f"![CPU per request as a ratio to each peer's]({PICTURE})", ""]
    for variant, scenes in findings.loads.items():
        lines += [f"## Under load: {variant}", "", *_LOAD_HEAD]
        for scene, servers in scenes.items():
            lines += [_load_row(scene, name, servers) for name in servers]
        lines.append("")
    lines += scaling.table(findings)
    lines += _paces(findings)
    lines += _idle(findings)
    if findings.resident:
        lines += ["## Resident memory after the load", "", "| variant: server | MiB |", "|---|---|"]
        lines += [f"| {name} | {size / 2**20:.0f} |" for name, size in findings.resident.items()]
        lines.append("")
    return "\n".join(lines)


def _load_row(scene: str, name: str, servers: dict[str, list[Sample]]) -> str:
    samples = servers[name]

    def median(of: Callable[[Sample], float]) -> float:
        return statistics.median(map(of, samples))

    compared = "" if name == EDGE else str(ratio([s.cpu_us for s in servers[EDGE]], [s.cpu_us for s in samples]))
    cpu_us = median(lambda s: s.cpu_us)
    return (
        f"| {scene} | {name} | {cpu_us:.1f} | {compared} | {1e6 / cpu_us if cpu_us else 0:.0f} | {median(lambda s: s.per_s):.0f} "
        f"| {median(lambda s: s.busy):.2f} | {median(lambda s: s.p50_ms):.2f} | {median(lambda s: s.p99_ms):.2f} "
        f"| {sum(s.errors for s in samples)} |"
    )


def _paces(findings: Findings) -> list[str]:
    if not findings.paces:
        return []
    rate = next(iter(findings.paces.values()))[0].asked_per_s
    lines = [f"## At half of Envoy's most: GET small, bare, {rate:.0f} a second", "", *_PACE_HEAD]
    floor = [pace.p99_ms for pace in findings.paces["none"]]
    for name, paces in findings.paces.items():
        lines.append(_pace_row(name, paces, floor))
    theirs = {name: [pace.p99_ms for pace in paces] for name, paces in findings.paces.items()}
    for name in theirs:
        if name not in (EDGE, "none"):
            lines.append(f"\np99 of edge to that of {name}, by rounds: {ratio(theirs[EDGE], theirs[name])}")
    return [*lines, ""]


def _pace_row(name: str, paces: list[Pace], floor: list[float]) -> str:
    def median(of: Callable[[Pace], float]) -> float:
        return statistics.median(map(of, paces))

    p99s = [pace.p99_ms for pace in paces]
    added = statistics.median(mine - none for mine, none in zip(p99s, floor, strict=True))
    return (
        f"| {name} | {median(lambda p: p.p50_ms):.2f} | {median(lambda p: p.p99_ms):.2f} ({min(p99s):.2f}-{max(p99s):.2f}) "
        f"| {'' if name == 'none' else f'{added:.2f}'} | {median(lambda p: p.p999_ms):.2f} | {median(lambda p: p.answered_per_s):.0f} "
        f"| {median(lambda p: p.lag_ms):.2f} | {sum(p.errors for p in paces)} | {sum(p.unanswered for p in paces)} |"
    )


def _idle(findings: Findings) -> list[str]:
    if not findings.idle:
        return []
    lines = [
        "## Memory of a connection at rest",
        "",
        "| row | server | KiB (min-max) | ratio to it |",
        "|---|---|---|---|",
    ]
    for row, servers in findings.idle.items():
        for name, sizes in servers.items():
            kib = [size / 1024 for size in sizes]
            compared = "" if name == EDGE else str(ratio(servers[EDGE], sizes))
            lines.append(
                f"| {row} | {name} | {statistics.median(kib):.1f} ({min(kib):.1f}-{max(kib):.1f}) | {compared} |"
            )
    return [*lines, ""]

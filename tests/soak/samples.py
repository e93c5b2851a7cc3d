"""
What the gateway holds at a moment, and what a row of such moments says: curves, a slope, a drift.

Memory and descriptors are the kernel's figures; connections, calls, upstream streams and tasks the gateway's own, from its admin listener.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from urllib.error import URLError

from tests.bench.process_cpu import rss_bytes
from tests.resilience.edge_process import EdgeProcess

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. `links` are the connections to the upstream, `streams` those on them, `calls` those admitted and not yet settled."""

    at_s: float
    rss_mib: float
    files: int
    connections: int
    calls: int
    links: int
    streams: int
    tasks: int

    @property
    def other_files(self) -> int:
        """Descriptors that are no connection: as many at the end as at the start."""
        return self.files - self.connections - self.links


def take(edge: EdgeProcess, at_s: float) -> Sample | None:
    """Ask the kernel and the gateway; None when that does not answer in time. Blocks."""
    try:
        metrics, pools = edge.admin("/metrics"), json.loads(edge.admin("/upstreams"))
        files = len(os.listdir(f"/proc/{edge.pid}/fd"))
        tasks = sum(json.loads(edge.admin("/tasks")).values())
    except TimeoutError:
        return None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            return None
        raise
    return Sample(
        at_s,
        rss_bytes(edge.pid) / 2**20,
        files,
        _total(metrics, "edge_connections"),
        _total(metrics, "edge_requests_in_flight"),
        _sum(pools, "connections"),
        _sum(pools, "streams"),
        tasks,
    )


def _total(metrics: str, name: str) -> int:
    return int(sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", metrics, re.MULTILINE)))


def _sum(page: object, name: str) -> int:
    """All numbers of a name on a page, wherever they stand."""
    if isinstance(page, list):
        return sum(_sum(each, name) for each in page)
    if not isinstance(page, dict):
        return 0
    own = page.get(name)
    return (own if isinstance(own, int) else 0) + sum(_sum(v, name) for k, v in page.items() if k != name)


def slope_per_10_min(samples: Sequence[Sample]) -> float:
    """MiB of memory per ten minutes, by least squares."""
    if len(samples) < 2:
        return 0.0
    times, sizes = [s.at_s for s in samples], [s.rss_mib for s in samples]
    middle, size = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((t - middle) ** 2 for t in times)
    return 600 * sum((t - middle) * (y - size) for t, y in zip(times, sizes, strict=True)) / spread


def drift(counts: Sequence[int]) -> float:
    """How much the median of the second half lies above that of the first: of a count that hops about, but must not rise."""
    half = len(counts) // 2
    return float(median(counts[half:]) - median(counts[:half])) if half else 0.0


def curve(name: str, values: Sequence[float]) -> str:
    """A line of bars between the least and the greatest value."""
    low, high = min(values), max(values)
    cuts = [round(n * len(values) / WIDTH) for n in range(WIDTH + 1)] if len(values) > WIDTH else range(len(values) + 1)
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    bars = "".join(
        BARS[int((mean - low) / (high - low) * (len(BARS) - 1))] if high > low else BARS[0] for mean in means
    )
    return f"{name:<12} {bars}  {low:g} to {high:g}"


def curves(samples: Sequence[Sample]) -> str:
    """Every figure as a curve over time."""
    return "\n".join(
        curve(name, [round(getattr(sample, name), 1) for sample in samples])
        for name in ("rss_mib", "files", "other_files", "connections", "calls", "links", "streams", "tasks")
    )


HEADING = f"{'s':>6} {'RSS MiB':>8} {'files':>6} {'other':>6} {'conns':>6} {'calls':>6} {'links':>6} {'streams':>8} {'tasks':>6}"


def row(s: Sample) -> str:
    """A sample under HEADING."""
    return (
        f"{s.at_s:6.0f} {s.rss_mib:8.1f} {s.files:6} {s.other_files:6} {s.connections:6} {s.calls:6} {s.links:6} "
        f"{s.streams:8} {s.tasks:6}"
    )


def table(samples: Sequence[Sample], rows: int = 21) -> str:
    """Some of the samples, the first and the last among them."""
    last = len(samples) - 1
    chosen = sorted({round(n * last / max(1, rows - 1)) for n in range(rows)}) if samples else []
    return "\n".join([HEADING, *(row(samples[n]) for n in chosen)])

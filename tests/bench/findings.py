"""
What a run found: samples by variant, scene and server, and the ratios between servers.

Owns what a ratio is: the gateway's figure by the peer's, of the same round, below 1 where the gateway is better. The median over rounds is
printed, with the smallest and the largest beside it.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.open_loop import Pace
from tests.bench.variants import EDGE


@dataclass(frozen=True)
class Sample:
    """One round of one server. `busy`: cores it used; streamed messages count one by one."""

    cpu_us: float
    per_s: float
    busy: float
    p50_ms: float
    p99_ms: float
    errors: int


@dataclass(frozen=True)
class Ratio:
    """Over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"**{self.median:.2f}** ({self.low:.2f}-{self.high:.2f})"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Of figures round by round; a peer's figure of 0 is no figure."""
    each = [mine / other for mine, other in zip(ours, theirs, strict=True) if other > 0]
    if not each:
        return Ratio(float("nan"), float("nan"), float("nan"))
    return Ratio(statistics.median(each), min(each), max(each))


@dataclass
class Findings:
    """All of a run."""

    loads: dict[str, dict[str, dict[str, list[Sample]]]] = field(default_factory=dict)
    """variant, scene, server"""
    paces: dict[str, list[Pace]] = field(default_factory=dict)
    """By server; `none` is the service itself."""
    idle: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Bytes per connection: row, server."""
    scaling: dict[str, dict[str, list[tuple[Sample, Sample]]]] = field(default_factory=dict)
    """With one worker and with two: scene, server."""
    resident: dict[str, int] = field(default_factory=dict)

    def add(self, variant: str, scene: str, server: str, sample: Sample) -> None:
        """One round of one server."""
        self.loads.setdefault(variant, {}).setdefault(scene, {}).setdefault(server, []).append(sample)

    def cpu_ratios(self, peer: str) -> dict[str, Ratio]:
        """CPU per request by the row's name, where the peer was measured."""
        return {
            f"{scene}, {variant}": ratio([s.cpu_us for s in by_server[EDGE]], [s.cpu_us for s in by_server[peer]])
            for variant, of in self.loads.items()
            for scene, by_server in of.items()
            if peer in by_server
        }

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

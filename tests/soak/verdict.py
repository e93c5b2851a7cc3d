"""
What a soak did and saw, and what of it is a fault.

Owns the verdict: no error, every client gone when told to go, nothing left in the gateway, memory and descriptors flat after the
warm-up, and a gateway that ends when asked. Source: reliability.md R20 (< 1 MB and no descriptor in ten minutes).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.samples import Sample, curves, drift, slope_per_10_min, table

MAX_SLOPE_MIB = 1.0
WARM_UP_S = 240.0
"""
What is bounded fills: the slow readers' windows in seconds, last the streams each HTTP/2 connection remembers to have been reset, in 160 s
at the pace of a busy machine. Beside it the allocator's high-water mark rises with the busiest moment so far. Measured: 73.3 MiB at 3 s,
74.6 at 90 s, 74.8 at 240 s, 75.1 at 600 s.
"""

JUDGED_S = 240.0
"""The least time after the warm-up over which a slope says something: the allocator takes memory by the MiB."""

FILES_DRIFT = 1
"""Of a median: a sample asks kernel and gateway one after the other, and a connection may come or go between the two."""


@dataclass
class Soak:
    """What was done and seen."""

    samples: list[Sample] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    """Of clients; the first ends the soak."""
    deaf: list[str] = field(default_factory=list)
    """Clients that did not go when told to, and where they stood."""
    unanswered: int = 0
    """Samples not taken: the admin listener said nothing for five seconds, as happens on a machine others keep busy."""
    before: Sample | None = None
    after: Sample | None = None
    tasks: str = ""
    """What the gateway still ran at the end."""
    exit_code: int | None = None

    @property
    def warm(self) -> list[Sample]:
        """The samples after the warm-up."""
        return [sample for sample in self.samples if sample.at_s >= WARM_UP_S]

    @property
    def judged(self) -> bool:
        """Whether there is enough after the warm-up to call it a slope."""
        return bool(self.warm) and self.warm[-1].at_s - WARM_UP_S >= 0.95 * JUDGED_S

    def left(self) -> list[str]:
        """What is there at the end that should not be."""
        before, after = self.before, self.after
        if before is None or after is None:
            return ["not known: there was no last sample"]
        found = [
            f"{name}: {getattr(after, name)}" for name in ("connections", "calls", "streams") if getattr(after, name)
        ]
        # The connections to the upstream stay.
        if after.other_files > before.other_files:
            found.append(f"files: {before.other_files} before, {after.other_files} after")
        if after.tasks > before.tasks:
            found.append(f"tasks: {before.tasks} before, {after.tasks} after")
        return found

    def growth(self) -> list[str]:
        """What rose after the warm-up."""
        if not self.judged:
            return []
        found = []
        if (slope := slope_per_10_min(self.warm)) >= MAX_SLOPE_MIB:
            found.append(f"memory rose by {slope:.2f} MiB / 10 min, the bound is {MAX_SLOPE_MIB:g}")
        if (more := drift([sample.other_files for sample in self.warm])) > FILES_DRIFT:
            found.append(f"{more:g} more files in the second half of the time after the warm-up")
        return found

    def faults(self) -> list[str]:
        """Everything that fails it; empty when it passed."""
        ended = [] if self.exit_code == 0 else [f"the gateway ended with code {self.exit_code}"]
        left = [f"left at the end: {each}" for each in self.left()]
        deaf = [f"did not end when told to: {each}" for each in self.deaf]
        return [*self.errors, *deaf, *left, *self.growth(), *ended]

    def report(self) -> str:
        """Curves, table, calls, figures, verdict."""
        made = ", ".join(f"{name} {count}" for name, count in sorted(self.calls.items()))
        lines = [
            curves(self.samples) if self.samples else "nothing was sampled",
            table([*self.samples, *([self.after] if self.after else [])]),
            f"{sum(self.calls.values())} calls: {made}",
            f"errors: {len(self.errors)}; samples: {len(self.samples)}, not answered in time: {self.unanswered}",
            self._flatness(),
            f"left at the end: {'; '.join(self.left()) or 'nothing'}",
        ]
        faults = self.faults()
        if faults:
            lines += ["FAILED:", *faults, f"the gateway runs: {self.tasks}"]
        return "\n".join([*lines, *([] if faults else ["passed"])])

    def _flatness(self) -> str:
        figures = (
            f"memory {slope_per_10_min(self.warm):+.2f} MiB / 10 min (bound {MAX_SLOPE_MIB:g}), "
            f"files {drift([sample.other_files for sample in self.warm]):+g} (median, second half against first)"
        )
        return f"after {WARM_UP_S:g} s: {figures if self.judged else 'not judged, the run was too short'}"

"""Ten seconds of the soak: too short for a slope, long enough to see that nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.samples import Sample, curve, slope_per_10_min
from tests.soak.soak import soak

GROWTH_MIB = 24.0
"""From the first second to the last of so short a run: warming up takes half of it, a leak per call would take more."""


@pytest.mark.slow
async def test_every_dialect_at_once_leaves_nothing(tmp_path: Path) -> None:
    """No connection, call, stream or task is left, whether clients ended well, read slowly or were gone."""
    result = await soak(tmp_path, 10, 0.5)
    print(result.report())
    assert result.left() == []
    assert min(result.calls.values()) >= 3, result.calls
    assert result.samples[-1].rss_mib - result.samples[0].rss_mib < GROWTH_MIB


def test_a_leak_is_a_slope() -> None:
    """What the verdict rests on: 0.1 MiB a minute are 1 MiB in ten, a step that stays is none afterwards."""
    rising = [Sample(minute * 60.0, 80 + 0.1 * minute, 0, 0, 0, 0, 0) for minute in range(10)]
    assert slope_per_10_min(rising) == pytest.approx(1.0)
    assert slope_per_10_min([Sample(float(s), 90.0, 0, 0, 0, 0, 0) for s in range(9)]) == 0


def test_a_curve_has_a_bar_per_value() -> None:
    """From the least to the greatest."""
    assert curve("x", [0, 1, 2, 3, 4, 5, 6, 7]).split() == ["x", "▁▂▃▄▅▆▇█", "0", "to", "7"]
    assert "▁▁▁" in curve("x", [3, 3, 3])

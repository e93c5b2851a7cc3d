"""
Durations and shares, as Kubernetes APIs write them.

Owns that nothing rounds to zero: a timeout of 0 means none, a share of 0 means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from edge.config.mesh_models import Split

_UNITS_MS = (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_HUNDREDTHS = 100


def single_unit(seconds: float) -> str:
    """`2s` or `1500ms`: one number, one unit, which Linkerd's annotations and Go's durations both take."""
    ms = _ms(seconds)
    return f"{ms}ms" if ms % 1000 else f"{ms // 1000}s"


def compound(seconds: float) -> str:
    """`1m40s500ms`: Gateway API's durations (GEP-2257), whose numbers have at most five digits."""
    left, text = _ms(seconds), ""
    for unit, size in _UNITS_MS:
        if left >= size:
            text += f"{left // size}{unit}"
            left %= size
    return text


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def shares(split: Split | None) -> Mapping[str, int]:
    """The subsets that get calls and their shares, in the smallest whole numbers; empty when nothing is divided."""
    if split is None:
        return {}
    parts = {name: round(subset.weight * _HUNDREDTHS) for name, subset in sorted(split.subsets.items())}
    common = gcd(*parts.values())
    return {name: part // common for name, part in parts.items() if part}

"""Durations and shares as Kubernetes APIs take them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.mesh_models import Split
from meshconfig.kubernetes_units import compound, shares, single_unit

GEP_2257 = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


@pytest.mark.parametrize(
    ("seconds", "single", "several"),
    [
        (2.0, "2s", "2s"),
        (0.3, "300ms", "300ms"),
        (100.5, "100500ms", "1m40s500ms"),
        (86400.0, "86400s", "24h"),
        (0.0001, "1ms", "1ms"),
    ],
)
def test_durations(seconds: float, single: str, several: str) -> None:
    """No timeout rounds to 0, which would be none."""
    assert single_unit(seconds) == single
    assert compound(seconds) == several


@given(ms=st.integers(1, 366 * 24 * 3_600_000))
def test_every_timeout_of_a_configuration_is_a_duration_of_gateway_api(ms: int) -> None:
    """At most five digits and four units, and nothing is lost."""
    text = compound(ms / 1000)
    assert GEP_2257.fullmatch(text)
    assert sum(int(number) * MS[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", text)) == ms


def _split(**weights: float) -> Split:
    return Split.model_validate(
        {"subsets": {name: {"labels": {"v": name}, "weight": weight} for name, weight in weights.items()}}
    )


def test_shares_are_the_smallest_whole_numbers() -> None:
    assert shares(_split(stable=90, canary=10)) == {"canary": 1, "stable": 9}
    assert shares(_split(stable=99.75, canary=0.25)) == {"canary": 1, "stable": 399}


def test_who_gets_nothing_is_not_named() -> None:
    """A weight of 0 is no backend, and all of them 0 is no division."""
    assert shares(_split(a=100, b=0)) == {"a": 1}
    assert shares(_split(a=0, b=0)) == {}
    assert shares(None) == {}

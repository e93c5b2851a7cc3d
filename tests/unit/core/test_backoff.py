"""Backoff: the curve, its ceiling and its jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.backoff import delay_s


@pytest.mark.parametrize(
    ("failures", "expected"), [(1, 0.05), (2, 0.1), (3, 0.2), (4, 0.4), (5, 0.8), (6, 0.8), (5000, 0.8)]
)
def test_doubles_up_to_the_maximum(failures: int, expected: float) -> None:
    assert delay_s(failures, initial_s=0.05, max_s=0.8, rand=0.5) == pytest.approx(expected)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_a_fifth(failures: int, rand: float) -> None:
    middle = delay_s(failures, initial_s=0.05, max_s=0.8, rand=0.5)
    assert middle * 0.799 <= delay_s(failures, initial_s=0.05, max_s=0.8, rand=rand) <= middle * 1.201


def test_jitter_spreads() -> None:
    assert delay_s(1, initial_s=1, max_s=1, rand=0.0) == pytest.approx(0.8)
    assert delay_s(1, initial_s=1, max_s=1, rand=0.999999) == pytest.approx(1.2, rel=1e-4)

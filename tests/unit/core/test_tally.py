"""Counting values into buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.tally import Tally


def test_upper_bounds_are_inclusive_and_the_last_bucket_is_open() -> None:
    tally = Tally((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 99.0):
        tally.observe(value)
    assert tally.take() == ([2, 2, 1], 104.0)


def test_taking_starts_again_at_zero() -> None:
    tally = Tally((1.0,))
    tally.observe(0.5)
    tally.take()
    assert tally.take() == ([0, 0], 0.0)


@given(st.lists(st.floats(0, 100)))
def test_every_value_is_counted_once(values: list[float]) -> None:
    tally = Tally((0.5, 5.0, 50.0))
    for value in values:
        tally.observe(value)
    counts, total = tally.take()
    assert sum(counts) == len(values)
    assert total == pytest.approx(sum(values))

"""The index rules of blocking queries, and the pace of a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.consul_index import BlockingIndex, Pace, answer_timeout_s


def test_first_query_does_not_block() -> None:
    """Index 0: answered at once."""
    assert BlockingIndex().value == 0


def test_index_is_taken_from_the_answer() -> None:
    """The next query waits for what comes after it."""
    index = BlockingIndex()
    assert not index.heard(42)
    assert index.value == 42
    assert not index.heard(42)
    assert index.value == 42


def test_index_that_goes_backwards_starts_over() -> None:
    """Consul was restored or rebuilt: ask without waiting, and say so."""
    index = BlockingIndex()
    index.heard(42)
    assert index.heard(7)
    assert index.value == 0
    assert not index.heard(7)
    assert index.value == 7


@pytest.mark.parametrize("received", [0, -3, None])
def test_index_below_one_counts_as_one(received: int | None) -> None:
    """At 0 a query never blocks, and the loop would spin."""
    index = BlockingIndex()
    index.heard(received)
    assert index.value == 1


def test_failure_starts_over() -> None:
    """The agent that answers next may be another; and that is no restart."""
    index = BlockingIndex()
    index.heard(42)
    index.failed()
    assert index.value == 0
    assert not index.heard(3)


@given(st.lists(st.one_of(st.none(), st.integers(-5, 2**64))))
def test_never_stuck_at_zero(received: list[int | None]) -> None:
    """Two answers in a row, whatever they say, leave an index that blocks, unless the second went backwards."""
    index = BlockingIndex()
    for each in received:
        went_back = index.heard(each)
        assert (index.value == 0) == went_back
        assert index.value >= 0


def test_answer_outlasts_the_servers_jitter() -> None:
    """A sixteenth more than the wait, and ten seconds for the way."""
    assert answer_timeout_s(300.0) == pytest.approx(328.75)
    assert answer_timeout_s(0.0) == 10.0


def test_pace_lets_a_burst_pass_and_then_slows() -> None:
    """Answers that come at once cost no more than one query a second."""
    pace = Pace(per_s=1.0, burst=3)
    assert [pace.delay_s(100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.delay_s(100.0) == pytest.approx(1.0)
    assert pace.delay_s(101.0) == pytest.approx(1.0)
    assert pace.delay_s(200.0) == 0.0


def test_pace_survives_a_clock_that_steps_back() -> None:
    """No tokens are lost by it."""
    pace = Pace(per_s=1.0, burst=2)
    pace.delay_s(100.0)
    assert pace.delay_s(50.0) == 0.0


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_pace_never_above_rate_and_burst(gaps: list[float]) -> None:
    """However answers come: of n queries in a time t, at most burst + t go out, when each waits as told."""
    pace, now = Pace(per_s=1.0, burst=4), 0.0
    times = []
    for gap in gaps:
        now += gap
        now += pace.delay_s(now)
        times.append(now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= 4 + (times[last] - times[first]) + 1e-6

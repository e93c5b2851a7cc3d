"""Who takes how many of the connections that wait: properties over any number of workers, and the cases that made the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.fair_share import AWAY, WorkerShare, fair_share

COUNTS = st.lists(st.integers(AWAY, 50), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("held", "waiting", "expected"),
    [
        ([0], 5, 5),
        ([0, AWAY], 5, 5),
        ([0, 0], 1, 1),
        ([1, 0], 1, 0),
        ([0, 1], 1, 1),
        ([0, 0], 16, 8),
        ([0, 0], 3, 2),
        ([0, 100], 3, 3),
        ([10, 0], 10, 0),
        ([10, 0], 12, 1),
        ([10, 0, 200], 12, 1),
        ([5, 5], 0, 0),
    ],
)
def test_the_first_workers_share(held: list[int], waiting: int, expected: int) -> None:
    assert fair_share(held, 0, waiting) == expected


@given(COUNTS, st.integers(0, 200))
def test_whoever_looks_all_are_taken_and_none_is_left_behind(held: list[int], waiting: int) -> None:
    """Each in turn takes its share of what is left: the queue is empty then, and nobody was given more than one above the fewest."""
    present = [worker for worker, count in enumerate(held) if count != AWAY]
    left = waiting
    takers = set()
    for worker in present:
        share = fair_share(held, worker, left)
        assert 0 <= share <= left
        held[worker] += share
        left -= share
        if share:
            takers.add(worker)
    if present:
        assert left == 0
        fewest = min(held[worker] for worker in present)
        assert all(held[worker] <= fewest + 1 for worker in takers)


@given(st.integers(2, 6), st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_one_at_a_time_whoever_wakes_first_they_stay_level(workers: int, wakers: list[int]) -> None:
    """The worker that is woken first takes a connection only when nobody holds fewer."""
    held = [0] * workers
    for waker in wakers:
        order = [(waker + step) % workers for step in range(workers)]
        taker = next(worker for worker in order if fair_share(held, worker, 1))
        held[taker] += 1
        assert max(held) - min(held) <= 1


def test_a_worker_tells_the_others_what_it_holds_until_it_withdraws() -> None:
    held = [AWAY, AWAY]
    first, second = WorkerShare(held, 0), WorkerShare(held, 1)
    first.publish(0)
    assert first.of(4) == 4  # alone
    second.publish(2)
    assert (first.of(4), second.of(4)) == (3, 1)
    second.withdraw()
    second.publish(1)  # its connections end one by one; it does not come back by that
    assert held == [0, AWAY]

"""What waits for slow readers: counted exactly, and whose turn it is when it is too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.backlog import PROGRESS_BYTES, Backlog


def test_nobody_gives_up_anything_while_there_is_room() -> None:
    backlog: Backlog[str] = Backlog(1000)
    backlog.change("a", 600, 0.0)
    backlog.change("b", 400, 0.0)
    assert backlog.heaviest(100.0) is None


def test_over_the_limit_it_is_who_holds_most_for_longest() -> None:
    backlog: Backlog[str] = Backlog(1000)
    backlog.change("large", 700, 9.0)
    backlog.change("old", 400, 0.0)
    assert backlog.heaviest(10.0) == "old"  # 4,000 byte-seconds against 700
    assert backlog.heaviest(9.0) == "old"
    backlog = Backlog(1000)
    backlog.change("small", 400, 0.0)
    backlog.change("large", 700, 0.0)
    assert backlog.heaviest(0.0) == "large"


def test_a_steady_reader_comes_last_and_a_trickle_is_not_steady() -> None:
    backlog: Backlog[str] = Backlog(1000)
    backlog.change("steady", 5000, 0.0)
    backlog.change("trickle", 900, 0.0)
    for tenth in range(1, 100):
        now = tenth / 10
        backlog.change("steady", -PROGRESS_BYTES, now)
        backlog.change("steady", PROGRESS_BYTES, now)  # the next answer
        backlog.change("trickle", -1, now)
    assert backlog.heaviest(10.0) == "trickle"


def test_who_holds_nothing_is_forgotten() -> None:
    backlog: Backlog[str] = Backlog(0)
    backlog.change("a", 100, 0.0)
    backlog.change("a", -100, 1.0)
    assert (backlog.total_bytes, backlog._held) == (0, {})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 500)), max_size=50))
def test_the_sum_is_what_the_holders_hold(steps: list[tuple[str, int]]) -> None:
    """And someone is named exactly when it is over the limit; without his part it is less."""
    backlog, held = Backlog[str](1000), dict.fromkeys("abc", 0)
    for at, (holder, size) in enumerate(steps):
        size = size if at % 3 else -min(size, held[holder])
        held[holder] += size
        backlog.change(holder, size, float(at))
        assert backlog.total_bytes == sum(held.values())
        named = backlog.heaviest(float(at))
        assert (named is not None) == (backlog.total_bytes > 1000)
        assert named is None or held[named] > 0

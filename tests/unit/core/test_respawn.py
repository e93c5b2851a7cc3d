"""When a dead worker comes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.respawn import Respawn


def test_a_worker_that_served_a_while_is_back_at_once_every_time() -> None:
    """Killed every two seconds for a minute (R55): never a delay."""
    respawn = Respawn()
    assert [respawn.died(2.0) for _ in range(30)] == [0.0] * 30


def test_one_that_keeps_dying_comes_back_ever_more_slowly_up_to_a_ceiling() -> None:
    respawn = Respawn(initial_s=0.1, max_s=5.0)
    assert [respawn.died(0.1) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_healthy_life_forgives_earlier_failures() -> None:
    respawn = Respawn(initial_s=0.1)
    respawn.died(0.1)
    respawn.died(0.1)
    assert respawn.died(60.0) == 0.0
    assert respawn.died(0.1) == 0.1


def test_one_that_never_got_ready_is_given_up() -> None:
    respawn = Respawn(give_up_after=3)
    hopeless = []
    for _ in range(3):
        respawn.died(None)
        hopeless.append(respawn.is_hopeless)
    assert hopeless == [False, False, True]


def test_one_that_was_ready_once_is_never_given_up() -> None:
    """The others serve; a broken place among them is retried at the ceiling's pace."""
    respawn = Respawn(give_up_after=3)
    respawn.died(0.1)
    for _ in range(2000):  # more doublings than a float survives
        assert respawn.died(None) <= 5.0
    assert not respawn.is_hopeless


@given(st.lists(st.none() | st.floats(0, 100)))
def test_the_delay_stays_between_nothing_and_the_ceiling(lives: list[float | None]) -> None:
    respawn = Respawn()
    assert all(0.0 <= respawn.died(life) <= respawn.max_s for life in lives)

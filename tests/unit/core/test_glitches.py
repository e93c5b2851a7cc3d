"""The budget of misbehaviour: what each thing costs, what forgives, and that the level is never below zero or over in secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import glitches
from edge.core.glitches import GlitchBudget, frame_cost

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, PADDED = 0x1, 0x8


@pytest.mark.parametrize(
    ("kind", "flags", "size", "first", "cost"),
    [
        (DATA, 0, 1, 0, 0),
        (DATA, 0, 0, 0, glitches.EMPTY_DATA),
        (DATA, END_STREAM, 0, 0, 0),  # how an empty body ends
        (DATA, PADDED, 9, 8, glitches.EMPTY_DATA),
        (DATA, PADDED, 10, 8, 0),
        (DATA, PADDED | END_STREAM, 9, 8, 0),
        (HEADERS, 0, 0, 0, 0),
        (CONTINUATION, 0, 0, 0, 0),
        (RST, 0, 4, 0, 0),
        (SETTINGS, 0, 0, 0, glitches.SETTINGS),
        (PING, 0, 8, 0, glitches.CONTROL),
        (PRIORITY, 0, 5, 0, glitches.CONTROL),
        (WINDOW, 0, 4, 0, glitches.CONTROL),
        (GOAWAY, 0, 8, 0, glitches.SETTINGS),
        (PUSH, 0, 4, 0, 0),
        (0xBB, 0, 4, 0, glitches.CONTROL),
    ],
)
def test_what_a_frame_costs(kind: int, flags: int, size: int, first: int, cost: int) -> None:
    assert frame_cost(kind, flags, size, first) == cost


@pytest.mark.parametrize("kind", [PRIORITY, SETTINGS, PING, WINDOW, GOAWAY, 0x0A, 0xFF])
def test_a_thousand_frames_of_a_kind_are_too_many(kind: int) -> None:
    assert 1000 * frame_cost(kind, 0, 8, 0) >= glitches.LIMIT


def test_a_hundred_resets_are_too_many() -> None:
    """What the service may see of a rapid reset is bounded by it (R7)."""
    assert glitches.LIMIT / glitches.RESET <= 100


def test_reading_thousands_of_fields_is_paid_for() -> None:
    assert glitches.fields_cost(glitches.USUAL_FIELDS) == 0
    assert glitches.fields_cost(glitches.USUAL_FIELDS + 1) == 1  # each by itself
    assert 3 * glitches.fields_cost(3000) >= glitches.LIMIT


def test_soft_at_three_quarters_hard_at_the_limit() -> None:
    budget = GlitchBudget(0.0, limit=100)
    budget.charge(74)
    assert not budget.strained
    budget.charge(1)
    assert budget.strained
    assert not budget.exhausted
    budget.charge(25)
    assert budget.exhausted


def test_a_limit_is_only_ever_lowered() -> None:
    budget = GlitchBudget(0.0, limit=100)
    budget.lower(40)
    budget.lower(60)
    budget.charge(30)
    assert budget.strained
    budget.charge(10)
    assert budget.exhausted


def test_time_forgives_at_a_fixed_rate() -> None:
    budget = GlitchBudget(10.0)
    budget.charge(100)
    budget.advance(12.0)
    assert budget.level == 100 - 2 * glitches.FORGIVEN_PER_S
    budget.advance(1000.0)
    assert budget.level == 0


def test_a_clock_that_steps_back_forgives_nothing() -> None:
    budget = GlitchBudget(10.0)
    budget.charge(100)
    budget.advance(5.0)
    assert budget.level == 100


def test_an_honest_noisy_client_is_never_ended() -> None:
    """One cancelled call per hundred, 100,000 calls in no time at all (R13)."""
    budget = GlitchBudget(0.0)
    worst = 0.0
    for number in range(100_000):
        if number % 100 == 0:
            budget.charge(glitches.RESET)
        else:
            budget.earn(2 * glitches.ANSWERED)  # a head and a body
        worst = max(worst, budget.level)
        assert not budget.strained
    assert worst == glitches.RESET


@given(st.lists(st.tuples(st.sampled_from(["charge", "earn", "advance"]), st.floats(0, 50)), max_size=60))
def test_the_level_stays_between_zero_and_what_was_charged(steps: list[tuple[str, float]]) -> None:
    """Nothing is saved up: what was earned before a charge does not pay for it."""
    budget, now, charged = GlitchBudget(0.0), 0.0, 0.0
    for step, amount in steps:
        before = budget.level
        if step == "charge":
            budget.charge(amount)
            charged += amount
            assert budget.level == before + amount
        elif step == "earn":
            budget.earn(amount)
        else:
            now += amount
            budget.advance(now)
        assert 0 <= budget.level <= charged

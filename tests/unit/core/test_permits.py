"""Permits: never more than the limit, back to zero."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.core.permits import Permits


def test_the_limit_is_the_last_that_gets_one() -> None:
    permits = Permits(2)
    assert [permits.take() for _ in range(3)] == [True, True, False]
    permits.give_back()
    assert permits.take()


def test_giving_back_what_nobody_holds_is_a_bug() -> None:
    with pytest.raises(ValueError, match="nobody held"):
        Permits(1).give_back()


class PermitsMachine(RuleBasedStateMachine):
    """Any sequence of takes and returns keeps the count true and within bounds."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = Permits(3)
        self.ours = 0

    @rule(times=st.integers(1, 5))
    def take(self, times: int) -> None:
        self.ours += sum(self.permits.take() for _ in range(times))

    @precondition(lambda self: self.ours > 0)
    @rule()
    def give_back(self) -> None:
        self.permits.give_back()
        self.ours -= 1

    @invariant()
    def count_is_true(self) -> None:
        assert self.permits.held == self.ours <= 3


PermitsMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20)
TestPermits = PermitsMachine.TestCase

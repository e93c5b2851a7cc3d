"""
Signals before their time are delivered when it has come.

They are sent to this thread, not to the process: other tests' libraries leave threads that hold nothing back.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from edge.runtime.early_signals import held_back, let_through


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The signals that were delivered; all is as before when the test is over."""
    numbers: list[int] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    old = {
        number: signal.signal(number, lambda number, _: numbers.append(number))
        for number in (signal.SIGHUP, signal.SIGUSR1)
    }
    yield numbers
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, handler in old.items():
        signal.signal(number, handler)


def test_they_wait_until_they_are_let_through(heard: list[int]) -> None:
    with held_back():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGUSR1)
        assert heard == []
        let_through()
        assert sorted(heard) == [signal.SIGHUP, signal.SIGUSR1]


def test_holding_back_for_a_while_changes_nothing_afterwards(heard: list[int]) -> None:
    with held_back():
        signal.raise_signal(signal.SIGHUP)
        assert heard == []
    assert heard == [signal.SIGHUP]
    with held_back():
        with held_back():
            pass
        signal.raise_signal(signal.SIGHUP)
        assert heard == [signal.SIGHUP], "the inner one does not end the outer one's hold"

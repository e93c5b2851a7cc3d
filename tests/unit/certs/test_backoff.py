"""The wait after failures."""

from __future__ import annotations

from certs.backoff import INITIAL_S, MAX_S, backoff_s


def test_it_doubles_to_its_bound() -> None:
    """Half a second, one, two … half a minute, for ever."""
    waits = [backoff_s(failures, 0.5) for failures in range(1, 12)]
    assert waits[:3] == [INITIAL_S, 2 * INITIAL_S, 4 * INITIAL_S]
    assert waits[-1] == MAX_S
    assert waits == sorted(waits)
    assert backoff_s(10_000, 0.5) == MAX_S


def test_chance_moves_it_a_fifth_either_way() -> None:
    """A mesh of gateways does not knock in step."""
    assert backoff_s(1, 0.0) == 0.8 * INITIAL_S
    assert 1.19 * INITIAL_S < backoff_s(1, 0.999) < 1.2 * INITIAL_S

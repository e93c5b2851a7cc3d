"""Shares are exact over every whole run, keys are faithful, and what cannot be used gives its part away and takes it back."""

from __future__ import annotations

from collections import Counter
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.traffic_shares import SCALE, TrafficShares

ALL = [True] * 16


def chosen(shares: TrafficShares, count: int, usable: list[bool] = ALL) -> list[int | None]:
    return [shares.choose(usable) for _ in range(count)]


@pytest.mark.parametrize("weights", [(90, 10), (33.33, 33.33, 33.34), (99.99, 0.01), (50, 50), (100, 0), (70, 20, 10)])
def test_ten_thousand_calls_are_shared_exactly(weights: tuple[float, ...]) -> None:
    """Each way takes its percent of 10,000 calls, to the call."""
    found = Counter(chosen(TrafficShares([weights]), 10_000))
    assert found == Counter({way: round(weight * 100) for way, weight in enumerate(weights) if weight})


def test_shares_are_spread_not_bunched() -> None:
    """A way of a tenth is taken once in any ten calls: a canary sees no burst."""
    taken = chosen(TrafficShares([(90, 10)]), 100)
    assert all(taken[at : at + 10].count(1) == 1 for at in range(91))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.data())
def test_any_weights_are_met_in_each_whole_run(weights: list[int], data: st.DataObject) -> None:
    """Also when ways were out of use for a while in between: what they are owed is neither lost nor paid back."""
    shares = TrafficShares([[weight / SCALE for weight in weights]])
    run = sum(weights) // gcd(*weights)
    for _ in range(3):
        assert Counter(chosen(shares, run)) == Counter(
            {way: weight // gcd(*weights) for way, weight in enumerate(weights)}
        )
    out = data.draw(st.integers(0, len(weights) - 1))
    usable = [way != out for way in range(len(weights))]
    left = run - weights[out] // gcd(*weights)
    found = Counter(chosen(shares, left, usable))
    assert out not in found
    assert found == Counter({way: weight // gcd(*weights) for way, weight in enumerate(weights) if way != out})
    assert Counter(chosen(shares, run))[out] == weights[out] // gcd(*weights)


def test_tiers_go_in_order() -> None:
    """The next tier is taken only when no way of one before it can be used, and left as soon as one can."""
    shares = TrafficShares([(50, 50), (100,), (100,)])
    assert shares.choose([False, True, True, True]) == 1
    assert shares.choose([False, False, True, True]) == 2
    assert shares.choose([False, False, False, True]) == 3
    assert shares.choose([False, False, False, False]) is None
    assert shares.choose([True, False, True, True]) == 0


def test_a_weight_of_nothing_is_never_chosen() -> None:
    """Not even when nothing else is left: it was drained on purpose."""
    shares = TrafficShares([(100, 0)])
    assert shares.choose([False, True]) is None
    assert shares.choose([False, True], b"key") is None


@given(st.binary(max_size=40))
def test_equal_keys_go_one_way(key: bytes) -> None:
    """Of this object, of another one, and in between of other calls."""
    shares = TrafficShares([(70, 20, 10)])
    way = shares.choose(ALL, key)
    shares.choose(ALL)
    shares.choose(ALL, b"another")
    assert shares.choose(ALL, key) == TrafficShares([(70, 20, 10)]).choose(ALL, key) == way


def test_keys_are_spread_by_weight() -> None:
    """Ten thousand of them, within what chance allows; the values are fixed, so that this never flickers."""
    shares = TrafficShares([(70, 20, 10)])
    found = Counter(shares.choose(ALL, f"user-{number}".encode()) for number in range(10_000))
    assert all(abs(found[way] - expected) < 150 for way, expected in enumerate((7000, 2000, 1000))), found


def test_only_keys_of_what_is_gone_move() -> None:
    """And they are spread over the others by weight, and come back."""
    shares = TrafficShares([(40, 40, 20)])
    keys = [f"user-{number}".encode() for number in range(3000)]
    before = [shares.choose(ALL, key) for key in keys]
    during = [shares.choose([False, True, True], key) for key in keys]
    moved = Counter(now for was, now in zip(before, during, strict=True) if was == 0)
    assert all(was == now for was, now in zip(before, during, strict=True) if was != 0)
    assert abs(moved[1] / moved[2] - 2) < 0.4, moved
    assert [shares.choose(ALL, key) for key in keys] == before


def test_the_hash_is_the_same_everywhere() -> None:
    """Workers and replicas must agree; a change of it would move every user at an upgrade."""
    shares = TrafficShares([(50, 50)])
    assert [shares.choose(ALL, each) for each in (b"ann", b"bob", b"cy", b"dee", b"eve", b"fay")] == [1, 0, 1, 0, 0, 0]

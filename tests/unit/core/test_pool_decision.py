"""Which connection takes a call: tables with literal clocks, and the invariants over any pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pool_decision import Refuse, Take, Wait, decide, reachable


@dataclass
class Link:
    active: int
    free: int


@dataclass
class Place:
    links: list[Link] = field(default_factory=list)
    dialing: bool = False
    retry_at: float = 0.0
    weight: int = 1


def choose(
    *places: Place, turn: int = 0, now: float = 100.0, max_links: int = 2, pending: int = 0, max_pending: int = 10
) -> Take[Link] | Wait | Refuse:
    return decide(places, turn=turn, now=now, max_links=max_links, pending=pending, max_pending=max_pending)


def test_the_first_call_dials_and_waits() -> None:
    assert choose(Place()) == Wait(dial=0)


def test_calls_during_a_dial_wait_for_it() -> None:
    assert choose(Place(dialing=True)) == Wait(dial=None)


def test_the_least_loaded_connection_wins() -> None:
    busy, calm, full = Link(5, 5), Link(2, 1), Link(0, 0)
    decision = choose(Place([busy, full]), Place([calm]))
    assert isinstance(decision, Take)
    assert decision.link is calm


def test_ties_go_round_robin() -> None:
    one, two = Link(1, 9), Link(1, 9)
    takes = [choose(Place([one]), Place([two]), turn=turn) for turn in range(4)]
    assert [take.link is one for take in takes if isinstance(take, Take)] == [True, False, True, False]


def test_load_spreads_to_an_unconnected_endpoint_without_waiting_for_it() -> None:
    decision = choose(Place([Link(1, 9)]), Place())
    assert isinstance(decision, Take)
    assert decision.dial == 1


def test_an_endpoint_in_backoff_is_not_dialled() -> None:
    decision = choose(Place([Link(1, 9)]), Place(retry_at=100.5))
    assert isinstance(decision, Take)
    assert decision.dial is None


def test_full_connections_make_another() -> None:
    assert choose(Place([Link(1, 0)])) == Wait(dial=0)


def test_no_more_than_the_maximum_is_opened() -> None:
    assert choose(Place([Link(1, 0), Link(1, 0)])) == Wait(dial=None)


def test_all_in_backoff_fails_fast_with_the_soonest_return() -> None:
    assert choose(Place(retry_at=100.4), Place(retry_at=100.25)) == Refuse(overloaded=False, retry_after_s=0.25)


def test_after_the_backoff_the_endpoint_is_dialled() -> None:
    assert choose(Place(retry_at=99.9)) == Wait(dial=0)


def test_too_many_waiting_is_overload() -> None:
    assert choose(Place(dialing=True), pending=10) == Refuse(overloaded=True, retry_after_s=None)


def test_no_endpoint_at_all_is_refused_without_a_time_to_come_back() -> None:
    assert choose() == Refuse(overloaded=False, retry_after_s=None)


def test_while_endpoints_are_looked_up_calls_wait_for_the_first() -> None:
    """But not more of them than may wait for anything else."""
    waits: Take[Link] | Wait | Refuse = decide([], turn=0, now=0.0, max_links=1, pending=0, max_pending=1, sought=True)
    assert waits == Wait(dial=None)
    refused: Take[Link] | Wait | Refuse = decide(
        [], turn=0, now=0.0, max_links=1, pending=1, max_pending=1, sought=True
    )
    assert refused == Refuse(overloaded=True, retry_after_s=None)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 10_000))
def test_shares_follow_the_weights_in_any_run_of_turns(one: int, other: int, start: int) -> None:
    """Within three calls of the exact share, over a hundred calls."""
    light, heavy = Link(0, 9), Link(0, 9)
    places = (Place([light], weight=one), Place([heavy], weight=other))
    takes = [choose(*places, turn=turn) for turn in range(start, start + 100)]
    got = sum(take.link is light for take in takes if isinstance(take, Take))
    assert abs(got - 100 * one / (one + other)) <= 3


def test_a_busy_endpoint_gets_less_than_its_weight() -> None:
    busy, idle = Link(8, 9), Link(0, 9)
    places = (Place([busy], weight=3), Place([idle], weight=1))
    takes = [choose(*places, turn=turn) for turn in range(100)]
    assert sum(take.link is idle for take in takes if isinstance(take, Take)) > 70


def test_a_full_or_unconnected_heavy_endpoint_leaves_the_calls_to_the_others() -> None:
    light = Link(5, 1)
    for heavy in (Place([Link(9, 0)], weight=9), Place(dialing=True, weight=9)):
        for turn in range(10):
            decision = choose(heavy, Place([light], weight=1), turn=turn)
            assert isinstance(decision, Take)
            assert decision.link is light


_links = st.builds(Link, st.integers(0, 5), st.integers(-1, 2))
_places = st.builds(Place, st.lists(_links, max_size=3), st.booleans(), st.floats(90, 110), st.integers(1, 3))


@given(
    st.lists(_places, min_size=1, max_size=4),
    st.integers(0, 100),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_invariants(places: list[Place], turn: int, max_links: int, pending: int, max_pending: int) -> None:
    """Never a full connection, never a dial against the rules, a refusal only when there is no way or no room."""
    decision = choose(*places, turn=turn, max_links=max_links, pending=pending, max_pending=max_pending)
    free = [link for place in places for link in place.links if link.free > 0]
    if isinstance(decision, Take):
        assert decision.link.free > 0
        if len({place.weight for place in places}) == 1:
            assert decision.link.active == min(link.active for link in free)
    else:
        assert not free
    if decision.dial is not None:
        dialled = places[decision.dial]
        assert not dialled.dialing
        assert dialled.retry_at <= 100
        assert len(dialled.links) < max_links
    if isinstance(decision, Refuse) and not decision.overloaded:
        assert not any(place.links or place.dialing for place in places)
    if isinstance(decision, Refuse) and decision.overloaded:
        assert pending >= max_pending


@pytest.mark.parametrize(
    ("places", "sought", "expected"),
    [
        ([], False, False),
        ([], True, True),
        ([(0, False)], False, True),
        ([(0, True)], False, False),
        ([(1, True)], False, True),
        ([(0, True), (0, False)], False, True),
        ([(0, True), (0, True)], False, False),
    ],
)
def test_who_may_be_given_a_call(places: list[tuple[int, bool]], sought: bool, expected: bool) -> None:
    """A connection, or an endpoint nobody has tried in vain; an endpoint in backoff is none, nor one just out of it."""

    class Tried(NamedTuple):
        links: list[None]
        failing: bool

    assert reachable([Tried([None] * links, failing) for links, failing in places], sought=sought) is expected

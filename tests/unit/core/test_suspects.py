"""Addresses that misbehaved: how little more is taken from them, and when that is forgotten."""

from __future__ import annotations

import pytest

from edge.core.glitches import LIMIT
from edge.core.suspects import LEAST, PATIENCE, REMEMBERED_S, REST_S, Suspects


def test_each_offence_halves_the_next_budget_down_to_the_least() -> None:
    suspects = Suspects()
    assert suspects.limit("192.0.2.1", 0.0) == LIMIT
    counts = [suspects.offended("192.0.2.1", 0.0) for _ in range(40)]
    assert counts == list(range(1, 41))
    assert suspects.limit("192.0.2.1", 0.0) == LEAST
    suspects = Suspects()
    suspects.offended("192.0.2.1", 0.0)
    assert suspects.limit("192.0.2.1", 0.0) == LIMIT / 2


def test_others_keep_their_budget() -> None:
    suspects = Suspects()
    suspects.offended("192.0.2.1", 0.0)
    assert suspects.limit("192.0.2.2", 0.0) == LIMIT


def test_it_is_forgotten_after_a_while() -> None:
    suspects = Suspects()
    suspects.offended("192.0.2.1", 0.0)
    assert suspects.limit("192.0.2.1", REMEMBERED_S - 1) < LIMIT
    assert suspects.limit("192.0.2.1", REMEMBERED_S + 1) == LIMIT
    assert suspects.offended("192.0.2.1", REMEMBERED_S + 1) == 1


@pytest.mark.parametrize(
    ("offender", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),  # of one /64
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", False),  # a local socket has no address, and all its peers the same
    ],
)
def test_what_counts_as_the_same_address(offender: str, other: str, same: bool) -> None:
    suspects = Suspects()
    suspects.offended(offender, 0.0)
    assert (suspects.limit(other, 0.0) < LIMIT) is same


def test_the_memory_is_bounded_and_forgets_who_was_quiet_longest() -> None:
    suspects = Suspects(max_keys=3)
    for at, address in enumerate(["a", "b", "c", "c", "a"]):  # who is known already takes nobody's place
        suspects.offended(address, float(at))
    assert {address: suspects.limit(address, 5.0) for address in "abc"} == {"a": LEAST, "b": LIMIT / 2, "c": LEAST}
    suspects.offended("d", 5.0)
    assert {address: suspects.limit(address, 5.0) for address in "abcd"} == {
        "a": LEAST, "b": LIMIT, "c": LEAST, "d": LIMIT / 2,
    }  # fmt: skip


def test_after_some_offences_new_connections_have_to_wait() -> None:
    suspects, rests = Suspects(), []
    for _ in range(PATIENCE + 1):
        rests.append(suspects.rest_s("192.0.2.1", 0.0))
        suspects.offended("192.0.2.1", 0.0)
    assert rests == [0.0] * PATIENCE + [REST_S]
    assert suspects.rest_s("192.0.2.2", 0.0) == 0.0
    assert suspects.rest_s("192.0.2.1", REMEMBERED_S + 1) == 0.0

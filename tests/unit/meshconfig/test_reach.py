"""What opens and what closes, in words."""

from __future__ import annotations

from meshconfig.consul_access import ANYONE_ELSE, ANYTHING_ELSE, Access
from meshconfig.reach import reach, sentences


def state(**reached: set[str]) -> dict[tuple[str, str], Access]:
    named = {(ANYONE_ELSE if name == "anyone" else name): paths for name, paths in reached.items()}
    return {(name, "shop"): Access(name, "shop", frozenset(paths)) for name, paths in named.items()}


def test_each_difference_is_a_sentence() -> None:
    """What opens comes first."""
    before = state(anyone={"/s.S/A", "/s.S/B", ANYTHING_ELSE}, billing={"/s.S/A"})
    after = state(anyone=set(), billing=set(), edge={"/s.S/A", "/s.S/B"}, front={ANYTHING_ELSE, "/s.S/A", "/s.S/B"})
    assert list(sentences(reach(state(anyone=set()), state(anyone=set(), edge={"/s.S/A"})))) == [
        "+ edge can now call s.S/A of shop"
    ]
    assert list(sentences(reach(before, after))) == [
        "- any other service can no longer call s.S/A, s.S/B and everything else of shop: nothing is left to it",
        "- billing can no longer call s.S/A of shop: nothing is left to it",
        "- edge can no longer call everything else of shop",
    ]


def test_long_lists_are_cut() -> None:
    """Five names and a number."""
    (sentence,) = sentences(reach({}, state(edge={f"/s.S/M{number}" for number in range(9)})))
    assert sentence == "+ edge can now call s.S/M0, s.S/M1, s.S/M2, s.S/M3, s.S/M4 and 4 more of shop"


def test_no_difference_no_sentence() -> None:
    """Being named with what anyone had is none."""
    assert reach(state(anyone={"/a"}), state(anyone={"/a"}, edge={"/a"})) == ()

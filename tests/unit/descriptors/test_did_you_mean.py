"""Suggestions name the closest known name, or list a few."""

from __future__ import annotations

from edge.descriptors.did_you_mean import did_you_mean


def test_a_typo_gets_the_closest_name() -> None:
    assert did_you_mean("shop.v1.Bokstore", ["shop.v1.Bookstore", "x.Y"]) == 'did you mean "shop.v1.Bookstore"?'


def test_a_name_without_its_package_gets_the_full_one() -> None:
    assert did_you_mean("Bookstore", ["very.long.package.v1.Bookstore"]) == (
        'did you mean "very.long.package.v1.Bookstore"?'
    )


def test_nothing_close_lists_what_is_known() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"


def test_a_long_list_is_counted() -> None:
    assert did_you_mean("zzz", [f"a{n}" for n in range(10)]).endswith(" and 2 more")


def test_nothing_known_gives_no_suggestion() -> None:
    assert did_you_mean("a", []) == ""

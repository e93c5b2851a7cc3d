"""Entries no request can reach (transcoding.md P6)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.path_template import parse
from edge.core.route_trie import Entry, Found, RouteTrie
from edge.core.shadowing import shadowed


def lint(*rules: str) -> dict[str, set[str]]:
    """The shadowed rules, each with the rules that take its paths."""
    entries = [Entry(rule.split(" ")[0], parse(rule.split(" ")[1]), rule) for rule in rules]
    return {entry.value: {taker.value for taker in takers} for entry, takers in shadowed(RouteTrie(entries), entries)}


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (["GET /**/x", "GET /*/**"], {"GET /**/x": {"GET /*/**"}}),
        (["GET /a/**/x", "GET /a/*/**"], {"GET /a/**/x": {"GET /a/*/**"}}),
        (["GET /a/**", "GET /a", "GET /a/*/**"], {"GET /a/**": {"GET /a", "GET /a/*/**"}}),
        (["GET /a/**", "* /a", "* /a/*", "GET /a/*/*/**"], {"GET /a/**": {"* /a", "* /a/*", "GET /a/*/*/**"}}),
        (["GET /a/**/x", "* /a/*/**"], {"GET /a/**/x": {"* /a/*/**"}}),
        (["* /a/**/x", "* /a/*/**"], {"* /a/**/x": {"* /a/*/**"}}),
        (["GET /a/{v=**}/x:run", "GET /a/*/**:run"], {"GET /a/{v=**}/x:run": {"GET /a/*/**:run"}}),
        (["HEAD /a/**/x", "GET /a/*/**"], {"HEAD /a/**/x": {"GET /a/*/**"}}),
    ],
)
def test_shadowed(rules: list[str], verdict: dict[str, set[str]]) -> None:
    for order in itertools.permutations(rules):
        assert lint(*order) == verdict


@pytest.mark.parametrize(
    "rules",
    [
        [],
        ["GET /a"],
        ["GET /a/b", "GET /a/*", "GET /a/**", "GET /**"],
        ["GET /a/**", "GET /*/b", "GET /*/**"],
        ["GET /a/**", "GET /a/*/**"],
        ["GET /a/**", "GET /a", "GET /a/*", "GET /a/*/*"],
        ["GET /a/**/x", "POST /a/*/**"],
        ["* /a/**/x", "GET /a/*/**"],
        ["* /a/{x}", "GET /a/{x}", "POST /a/{x}"],
        ["GET /a/**/x", "GET /a/**/x/y", "GET /a/**"],
        ["GET /a/**/x", "GET /a/*/**:run"],
        ["GET /a/{x}", "GET /a/{x}:run", "GET /**:run"],
    ],
)
def test_reachable(rules: list[str]) -> None:
    assert lint(*rules) == {}


_PATTERN = st.tuples(
    st.lists(st.sampled_from(["a", "*"]), max_size=3),
    st.one_of(st.none(), st.lists(st.just("a"), max_size=2)),
).map(lambda parts: "/" + "/".join([*parts[0], *([] if parts[1] is None else ["**", *parts[1]])]))


@given(st.sets(_PATTERN, max_size=8))
def test_the_lint_agrees_with_trying_every_short_path(templates: set[str]) -> None:
    """Templates of at most six segments over one word: paths of up to eight segments, with one other word, tell everything."""
    routes = RouteTrie([Entry("GET", parse(template), f"GET {template}") for template in templates])
    reached = set()
    for length in range(9):
        for segments in itertools.product("ab", repeat=length):
            found = routes.lookup("GET", "/" + "/".join(segments))
            if isinstance(found, Found):
                reached.add(found.value)
    rules = {f"GET {template}" for template in templates}
    assert set(lint(*rules)) == rules - reached

"""Near misses: which templates a wrong path was probably meant for, and where it parts from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.near_misses import NearMiss, near_misses

ROUTES = [
    ("GET", "/v1/shelves/{shelf}/books/{book}"),
    ("PATCH", "/v1/shelves/{shelf}/books/{book}"),
    ("POST", "/v1/books/{book}:move"),
    ("GET", "/v1/files/{name=**}"),
    ("GET", "/v1/shelves"),
]


@pytest.mark.parametrize(
    ("path", "template", "reason"),
    [
        ("/v1/shelfs/1/books/2", "/v1/shelves/{shelf}/books/{book}", 'segment 2 is "shelves", in the path "shelfs"'),
        ("/v1/shelves/1/books", "/v1/shelves/{shelf}/books/{book}", "it has more segments: 5, the path 4"),
        ("/v1/shelves/1/books/2/x", "/v1/shelves/{shelf}/books/{book}", "it has 5 segments, the path 6"),
        ("/v1/books/1:mvoe", "/v1/books/{book}:move", 'it ends with ":move", the path does not'),
        ("/v1/shelves/1//2", "/v1/shelves/{shelf}/books/{book}", 'segment 4 is "books", in the path ""'),
        ("/v1/shelves//books/2", "/v1/shelves/{shelf}/books/{book}", "segment 3 of the path is empty"),
        ("/v1/fils/a/b", "/v1/files/{name=**}", 'segment 2 is "files", in the path "fils"'),
        ("/v1/shelves/", "/v1/shelves", "it has 2 segments, the path 3"),
    ],
)
def test_reason(path: str, template: str, reason: str) -> None:
    """The likeliest template, and the first difference."""
    assert near_misses("GET", path, ROUTES)[0].template == template
    assert near_misses("GET", path, ROUTES)[0].reason == reason


def test_own_method_first() -> None:
    """Of two that are equally like."""
    for method in ("GET", "PATCH"):
        assert near_misses(method, "/v1/shelfs/1/books/2", ROUTES)[0].method == method


def test_nothing_alike_is_nothing() -> None:
    """A wild guess helps nobody."""
    assert near_misses("GET", "/zzzzzzzzzzzzzzzzzzzzzzzz", ROUTES) == []
    assert near_misses("GET", "/v1/shelves", []) == []


def test_at_most_three() -> None:
    """Not the whole table."""
    routes = [("GET", f"/v1/thing{number}") for number in range(10)]
    assert near_misses("GET", "/v1/things", routes)[0] == NearMiss(
        "GET", "/v1/thing0", 'segment 2 is "thing0", in the path "things"'
    )
    assert len(near_misses("GET", "/v1/things", routes)) == 3


@given(st.text(max_size=40))
def test_any_path_is_survived(path: str) -> None:
    """Whatever was asked for."""
    assert len(near_misses("GET", "/" + path, ROUTES)) <= 3

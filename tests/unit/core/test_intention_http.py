"""What a permission speaks of. The same questions are put to a real Envoy in tests/consul/test_intentions_of_consul.py."""

from __future__ import annotations

import re

import pytest

from edge.core.intention_http import HeaderMatch, HttpRequest, Permission, TextKind, TextMatch


@pytest.mark.parametrize(
    ("kind", "value", "text", "fits"),
    [
        ("exact", "/a", "/a", True), ("exact", "/a", "/a/", False), ("exact", "/a", "/A", False),
        ("prefix", "/a", "/ab", True), ("prefix", "/a", "/b", False), ("suffix", "b", "ab", True), ("suffix", "b", "ba", False),
        ("contains", "b", "abc", True), ("contains", "x", "abc", False), ("regex", "a+", "aa", True), ("regex", "a+", "aab", False),
    ],
)  # fmt: skip
def test_texts(kind: TextKind, value: str, text: str, fits: bool) -> None:
    """Each kind of condition; an expression has to fit all of a text."""
    pattern = re.compile(value) if kind == "regex" else None
    assert TextMatch(kind, value, pattern=pattern).fits(text) is fits


def test_case_counts_unless_told_otherwise() -> None:
    """As Consul's IgnoreCase."""
    assert TextMatch("exact", "Guest", ignore_case=True).fits("gUEST")
    assert not TextMatch("exact", "Guest").fits("guest")


def test_an_expression_without_a_pattern_fits_nothing() -> None:
    """One that could not be compiled."""
    assert not TextMatch("regex", "(").fits("(")


def request(*headers: tuple[str, str], path: str = "/", method: str = "GET") -> HttpRequest:
    return HttpRequest(method, path, [(name.encode(), value.encode()) for name, value in headers], "q=1")


GUEST = TextMatch("exact", "guest")


@pytest.mark.parametrize(
    ("match", "headers", "fits"),
    [
        (HeaderMatch("x-role", GUEST), [("x-role", "guest")], True),
        (HeaderMatch("x-role", GUEST), [("x-role", "admin"), ("x-role", "guest")], True),
        (HeaderMatch("x-role", GUEST), [], False),
        (HeaderMatch("x-role", GUEST, invert=True), [("x-role", "admin")], True),
        (HeaderMatch("x-role", GUEST, invert=True), [("x-role", "admin"), ("x-role", "guest")], False),
        (HeaderMatch("x-role", GUEST, invert=True), [], False),
        (HeaderMatch("x-role", None), [("x-role", "")], True),
        (HeaderMatch("x-role", None), [], False),
        (HeaderMatch("x-role", None, invert=True), [], True),
        (HeaderMatch("x-role", None, invert=True), [("x-role", "a")], False),
        (HeaderMatch(":method", TextMatch("exact", "GET")), [], True),
        (HeaderMatch(":path", TextMatch("exact", "/?q=1")), [], True),
        (HeaderMatch(":authority", TextMatch("exact", "edge")), [("host", "edge")], True),
    ],
)
def test_fields(match: HeaderMatch, headers: list[tuple[str, str]], fits: bool) -> None:
    """Any of a field's values; one that is absent only fits as absent; HTTP/2's own fields by their names there."""
    assert match.fits(request(*headers)) is fits


def test_all_of_a_permission_has_to_fit() -> None:
    """Path, fields and method; nothing given fits everything."""
    permission = Permission(
        allows=True,
        path=TextMatch("prefix", "/a"),
        headers=(HeaderMatch("x-role", GUEST),),
        methods=frozenset({"GET", "PUT"}),
    )
    assert permission.fits(request(("x-role", "guest"), path="/ab"))
    assert not permission.fits(request(("x-role", "guest"), path="/b"))
    assert not permission.fits(request(path="/ab"))
    assert not permission.fits(request(("x-role", "guest"), path="/ab", method="POST"))
    assert Permission(allows=False).fits(request())


def test_what_is_not_understood_lets_nothing_through() -> None:
    """It does not allow, and denies by what is understood of it."""
    assert not Permission(allows=True, unknown=True).fits(request())
    assert Permission(allows=False, unknown=True).fits(request())
    assert not Permission(allows=False, path=TextMatch("exact", "/b"), unknown=True).fits(request(path="/a"))

"""Allowances as what callers can reach."""

from __future__ import annotations

from meshconfig.consul_access import ANYONE_ELSE, ANYTHING_ELSE
from meshconfig.grants import Grant, accesses, named_paths


def grant(caller: str, *paths: str) -> Grant:
    return Grant("linkerd", "shop/shop-1", caller, frozenset(paths), "x")


def test_guarded_and_not() -> None:
    """What nothing guards is open to all; grants of one caller add up."""
    held = [grant("a/a", "/A"), grant("a/a", "/B"), grant("b/b", ANYTHING_ELSE)]
    paths = {"shop/shop-1": named_paths(held)["shop/shop-1"], "free": frozenset({"/F"})}
    found = accesses(held, ["shop/shop-1"], paths)
    assert found["a/a", "shop/shop-1"].paths == {"/A", "/B"}
    assert found["b/b", "shop/shop-1"].paths == {"/A", "/B", ANYTHING_ELSE}
    assert found[ANYONE_ELSE, "shop/shop-1"].paths == frozenset()
    assert found[ANYONE_ELSE, "free"].paths == {"/F", ANYTHING_ELSE}


def test_a_grant_of_everything_allows_any_path() -> None:
    """Otherwise only its own."""
    assert grant("a", ANYTHING_ELSE).allows("/x")
    assert not grant("a", "/A").allows("/x")

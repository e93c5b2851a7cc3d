"""How a field path is put together."""

from __future__ import annotations

from edge.wire.portable.misfit import Misfit, kind, shown


def test_paths_grow_from_the_leaf() -> None:
    misfit = Misfit("bad").within("name").at(2).within("authors").within("book")
    assert misfit.path == "book.authors[2].name"


def test_kinds() -> None:
    values: list[object] = [None, True, 1, 1.5, "", [], {}]
    kinds = ["null", "a boolean", "a number", "a number", "a string", "an array", "an object"]
    assert [kind(value) for value in values] == kinds


def test_long_values_are_cut() -> None:
    assert len(shown("x" * 10**6)) < 100


def test_long_keys_are_cut() -> None:
    assert len(Misfit("bad").within("k" * 10**6).at("m" * 10**6).within("book").path) < 250

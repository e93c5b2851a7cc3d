"""Enum values by name, number and short name."""

from __future__ import annotations

import pytest

from edge.wire.portable.enums import enum_converter, enum_names, short_name
from edge.wire.portable.misfit import Misfit
from tests.unit.wire.portable.compiling import pool

VIEW = pool().FindEnumTypeByName("t.BookView")
CLOSED = pool().FindEnumTypeByName("t2.Closed")


@pytest.mark.parametrize(
    ("enum", "value", "short"),
    [
        ("BookView", "BOOK_VIEW_FULL", "FULL"),
        ("BookView", "BOOK_VIEW_2D", "BOOK_VIEW_2D"),
        ("BookView", "BOOK_VIEWER", "BOOK_VIEWER"),
        ("BookView", "FULL", "FULL"),
        ("BookView", "BOOK_VIEW_", "BOOK_VIEW_"),
        ("HTTPMode", "HTTP_MODE_ON", "ON"),
        ("Mode2", "MODE2_ON", "ON"),
    ],
)
def test_short_name(enum: str, value: str, short: str) -> None:
    """A short name is an identifier: what would read as a number, or nothing, keeps its prefix."""
    assert short_name(enum, value) == short


def test_names_and_numbers_are_read() -> None:
    """B8, P7: an enum by name, by number, by number as text."""
    convert = enum_converter(VIEW, text=False)
    assert [convert("BOOK_VIEW_FULL"), convert(2), convert(2.0), convert("2")] == [2, 2, 2, 2]


def test_short_names_are_read_beside_full_ones() -> None:
    """Whatever is printed: `?view=FULL` is what people write."""
    convert = enum_converter(VIEW, text=True)
    assert [convert("FULL"), convert("BOOK_VIEW_FULL")] == [2, 2]


def test_a_full_name_wins_over_a_short_one_and_a_shared_short_name_is_none() -> None:
    """ShortClash declares A = 1 beside SHORT_CLASH_A = 2; and B twice, as SHORT_CLASH_B = 3 and SHORTCLASH_B = 4."""
    convert = enum_converter(pool().FindEnumTypeByName("t2.ShortClash"), text=True)
    assert [convert("A"), convert("SHORT_CLASH_A"), convert("SHORTCLASH_B")] == [1, 2, 4]
    with pytest.raises(Misfit):
        convert("B")


@pytest.mark.parametrize("value", ["NOPE", "book_view_full", "", "99", 1.5, 2**31, True, None, [], {}])
def test_unknown_is_refused(value: object) -> None:
    """Q4: an unknown enum value is refused."""
    with pytest.raises(Misfit):
        enum_converter(VIEW, text=False)(value)


def test_numbers_nobody_declared() -> None:
    """A number unknown here is kept in the JSON of an open enum, refused in a closed one and in text."""
    assert enum_converter(VIEW, text=False)(99) == 99
    for convert in (enum_converter(CLOSED, text=False), enum_converter(VIEW, text=True)):
        with pytest.raises(Misfit):
            convert(99 if convert is not None else "")
    with pytest.raises(Misfit):
        enum_converter(VIEW, text=True)("99")


def test_printed_names() -> None:
    """R1: enums as names, or short."""
    assert enum_names(VIEW, "names")[2] == "BOOK_VIEW_FULL"
    assert enum_names(VIEW, "short") == {0: "UNSPECIFIED", 1: "BASIC", 2: "FULL", 3: "BOOK_VIEW_2D"}

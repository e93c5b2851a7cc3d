"""What the native codec is told of types."""

from __future__ import annotations

from typing import Any

import pytest

from edge.wire.portable.schema import Schema
from tests.unit.wire.portable.compiling import descriptor_set

pytest.importorskip("edge_native", reason="the native engine is not built")

from edge.wire.native.tables import Telling, extensions, spellings  # only where the extension is built

SCHEMA = Schema(descriptor_set())


class Recorded:
    """Tables that keep what they are told."""

    def __init__(self) -> None:
        self.enums: dict[str, Any] = {}
        self.types: dict[str, Any] = {}
        self.batches: list[int] = []

    def add(self, enums: list[Any], types: list[Any]) -> None:
        self.enums |= {row[0]: row for row in enums}
        self.types |= {row[0]: row for row in types}
        self.batches.append(len(types))

    def knows(self, full_name: str) -> bool:
        return full_name in self.types


def told(*names: str) -> Recorded:
    """What is told when these types are asked for."""
    tables, telling = Recorded(), Telling(SCHEMA)
    for name in names:
        telling(tables, name)
    return tables


def test_a_type_comes_with_all_it_reaches_and_only_once() -> None:
    tables = told("t.Book", "t.BookRequest", "t.Book")
    assert {"t.Inner", "t.Book.LabelsEntry", "google.protobuf.Value", "t.BookRequest"} <= tables.types.keys()
    assert len(tables.batches) == 2
    assert sum(tables.batches) == len(tables.types)


def test_a_name_of_no_type_tells_nothing() -> None:
    assert told("t.Nope", "t.BookView").types == {}


def test_fields_come_in_the_order_of_their_numbers() -> None:
    for row in told("t.All", "t2.Old").types.values():
        assert [field[2] for field in row[1]] == sorted(field[2] for field in row[1])


def test_spellings_are_the_keys_of_json() -> None:
    message = SCHEMA.message("t.All")
    assert message is not None
    keys = {key: (field.name, is_name) for key, field, is_name in spellings(message)}
    assert keys["odd_name"] == ("odd_name", True)
    assert keys["veryOdd"] == ("odd_name", False)
    assert keys["text"] == ("text", False)
    assert "oddName" not in keys


def test_what_reaches_a_group_or_a_required_field_says_so() -> None:
    types = told("t2.AroundGroup", "t2.OldMaps", "t.All").types
    assert types["t2.AroundGroup"][4].startswith("t2.Grouped.bits: groups")
    assert types["t2.OldMaps"][5]
    assert not types["t.All"][4]
    assert not types["t.All"][5]


def test_what_was_told_before_counts_for_what_comes_later() -> None:
    """A later batch that reaches a required field by a type of an earlier one."""
    types = told("t2.Old", "t2.OldMaps").types
    assert types["t2.OldMaps"][5]


def test_extensions_are_told_hidden() -> None:
    message = SCHEMA.message("t2.Old")
    assert message is not None
    assert [field.number for field in extensions(message)] == [100]
    hidden = [field for field in told("t2.Old").types["t2.Old"][1] if field[4] & 1 << 5]
    assert [field[2] for field in hidden] == [100]
    everything = SCHEMA.message("t.All")
    assert everything is not None
    assert extensions(everything) == []


def test_enums_come_with_every_spelling() -> None:
    full_name, closed, numbers, names = told("t.All").enums["t.BookView"]
    assert (full_name, closed) == ("t.BookView", False)
    assert dict(numbers)["FULL"] == dict(numbers)["BOOK_VIEW_FULL"] == 2
    assert (2, "BOOK_VIEW_FULL", "FULL") in names
    assert told("t2.Old").enums["t2.Closed"][1] is True

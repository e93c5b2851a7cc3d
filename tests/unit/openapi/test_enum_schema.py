"""Enums as schemas."""

from __future__ import annotations

import pytest

from edge.openapi.enum_schema import enum_schema, is_null
from tests.unit.openapi.making import Room

_BODY = """
// How loud.
enum Volume {
  option allow_alias = true;
  // Not said.
  VOLUME_UNSPECIFIED = 0;
  VOLUME_LOW = 1;
  VOLUME_QUIET = 1;
  // Very.
  VOLUME_HIGH = 2 [deprecated = true];
}
message M { Volume v = 1; google.protobuf.NullValue n = 2; }
"""


@pytest.fixture(scope="module")
def room() -> Room:
    """The room of Volume."""
    return Room(_BODY)


def test_names(room: Room) -> None:
    """Names with their comments; of aliases the one that is printed."""
    schema = enum_schema(room.message("M").fields_by_name["v"].enum_type, room.notes, "names")
    assert schema == {
        "type": "string",
        "description": "How loud.\n\n- `VOLUME_UNSPECIFIED`: Not said.\n- `VOLUME_LOW`\n- `VOLUME_HIGH`: Deprecated. Very.",
        "enum": ["VOLUME_UNSPECIFIED", "VOLUME_LOW", "VOLUME_HIGH"],
    }


def test_short_names_and_numbers(room: Room) -> None:
    """As the API prints them; numbers keep their names beside them."""
    enum = room.message("M").fields_by_name["v"].enum_type
    assert enum_schema(enum, room.notes, "short")["enum"] == ["UNSPECIFIED", "LOW", "HIGH"]
    numbers = enum_schema(enum, room.notes, "numbers")
    assert (numbers["type"], numbers["enum"]) == ("integer", [0, 1, 2])
    assert numbers["x-enum-varnames"] == ["VOLUME_UNSPECIFIED", "VOLUME_LOW", "VOLUME_HIGH"]
    assert "- `2` (VOLUME_HIGH): Deprecated. Very." in numbers["description"]


def test_null_value(room: Room) -> None:
    """NullValue is JSON's null."""
    fields = room.message("M").fields_by_name
    assert is_null(fields["n"].enum_type)
    assert not is_null(fields["v"].enum_type)

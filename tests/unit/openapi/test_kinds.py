"""Schemas of single values."""

from __future__ import annotations

from typing import Any

import pytest

from edge.openapi.kinds import scalar, special, without_null
from tests.unit.openapi.making import Room

_BODY = """
message M {
  int64 i64 = 1; uint64 u64 = 2; int32 i32 = 3; fixed32 f32 = 4; double d = 5; bool b = 6; bytes raw = 7; string s = 8;
  google.protobuf.Timestamp t = 10; google.protobuf.Value v = 11; google.protobuf.Int64Value w = 12; google.protobuf.Any any = 13;
  google.protobuf.Empty e = 14;
}
"""


@pytest.fixture(scope="module")
def fields() -> Any:
    """The fields of M by name."""
    return Room(_BODY).message("M").fields_by_name


def test_scalars(fields: Any) -> None:
    """64-bit integers are strings, bytes base64, unsigned ones not negative."""
    assert scalar(fields["i64"], "string") == {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}
    assert scalar(fields["u64"], "string")["pattern"] == "^[0-9]{1,20}$"
    assert scalar(fields["i32"], "string")["maximum"] == 2**31 - 1
    assert scalar(fields["f32"], "string")["minimum"] == 0
    assert scalar(fields["d"], "string") == {"type": "number", "format": "double"}
    assert scalar(fields["raw"], "string") == {"type": "string", "contentEncoding": "base64"}


def test_int64_as_numbers(fields: Any) -> None:
    """Where the API prints them so."""
    assert scalar(fields["i64"], "number") == {"type": "integer", "format": "int64"}
    assert scalar(fields["u64"], "number") == {"type": "integer", "format": "uint64", "minimum": 0}


def test_well_known_types(fields: Any) -> None:
    """Each in its own form; Empty is a message like any other."""
    assert special(fields["t"].message_type, "string")["format"] == "date-time"  # type: ignore[index]  # it is one
    assert special(fields["v"].message_type, "string") == {"description": "Any JSON value."}
    assert special(fields["w"].message_type, "string")["type"] == ["string", "null"]  # type: ignore[index]  # it is one
    assert special(fields["w"].message_type, "number")["type"] == ["integer", "null"]  # type: ignore[index]  # it is one
    assert special(fields["e"].message_type, "string") is None


def test_without_null() -> None:
    """A path has no null."""
    assert without_null({"type": ["string", "null"], "format": "x"}) == {"type": "string", "format": "x"}
    assert without_null({"type": "string"}) == {"type": "string"}

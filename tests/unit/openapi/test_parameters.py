"""Parameters of paths and queries."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.path_template import parse
from edge.openapi.parameters import path_parameters, query_parameters
from edge.openapi.readable_path import expand
from tests.unit.openapi.making import Room

_BODY = """
message M {
  // The number.
  int64 id = 1;
  string name = 2;
  Filter filter = 3 [(google.api.field_behavior) = REQUIRED];
  repeated Kind kinds = 4 [(google.api.field_behavior) = REQUIRED];
  map<string, int32> labels = 5;
  map<string, Filter> filters = 6;
  repeated Filter many = 7;
  google.protobuf.Timestamp after = 8;
  google.protobuf.Struct free = 9;
  google.protobuf.Any any = 10;
  google.protobuf.StringValue word = 11;
  repeated google.protobuf.Value values = 12;
  M self = 13;
  string made = 14 [(google.api.field_behavior) = OUTPUT_ONLY];
  oneof pick { string left = 15; string right = 16; }
  string old = 17 [deprecated = true];
  google.protobuf.Empty nothing = 18;
}
message Filter {
  string exact_text = 1 [(google.api.field_behavior) = REQUIRED];
  M back = 2;
  map<string, string> tags = 3;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_A = 1; }
"""


@pytest.fixture(scope="module")
def room() -> Room:
    """The room of M."""
    return Room(_BODY)


def _query(room: Room, *taken: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {p["name"]: p for p in query_parameters(room.message("M"), set(taken), room.schemas)}


def test_leaves_by_dotted_names(room: Room) -> None:
    """Messages are entered, a message inside itself once; what has no text form is left out."""
    assert list(_query(room)) == [
        "id", "name", "filter.exactText", "filter.tags", "kinds", "labels", "after", "free", "word", "values", "left", "right", "old",
    ]  # fmt: skip


def test_what_path_and_body_fill_is_left_out(room: Room) -> None:
    """Whole fields, and fields of fields."""
    found = _query(room, ("id",), ("filter", "exact_text"), ("kinds",))
    assert not {"id", "filter.exactText", "kinds"} & set(found)
    assert "filter.tags" in found


def test_required(room: Room) -> None:
    """Only where everything above is too."""
    assert {name for name, p in _query(room).items() if p.get("required")} == {"filter.exactText", "kinds"}


def test_forms(room: Room) -> None:
    """Repeated, maps, JSON text, times, wrappers, enums."""
    found = _query(room)
    assert found["kinds"]["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/t.v1.Kind"}}
    assert (found["kinds"]["style"], found["kinds"]["explode"]) == ("form", True)
    assert found["labels"]["style"] == "deepObject"
    assert found["labels"]["schema"]["additionalProperties"]["type"] == "integer"
    assert found["free"]["content"] == {
        "application/json": {"schema": {"type": "object", "additionalProperties": True}}
    }
    assert found["after"]["schema"]["format"] == "date-time"
    assert found["word"]["schema"]["type"] == "string"
    assert found["values"]["schema"]["items"] == {"type": "string", "contentMediaType": "application/json"}


def test_texts(room: Room) -> None:
    """Comments, rivals of a oneof, deprecation."""
    found = _query(room)
    assert found["id"]["description"] == "The number."
    assert found["left"]["description"] == "Not together with `right`."
    assert found["old"]["deprecated"] is True


def test_path_parameters(room: Room) -> None:
    """A field's own schema, or a part of its text."""
    path = expand(parse("/{id}/{filter.exact_text=a/*}/*/{name=**}"))
    found = path_parameters(room.message("M"), path.parameters, room.schemas)
    assert found[0] == {
        "name": "id",
        "in": "path",
        "description": "The number.",
        "required": True,
        "schema": {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"},
        "x-edge-field": "id",
    }
    assert found[1]["description"] == "A part of `filter.exact_text`, which is `a/*`."
    assert (found[1]["x-edge-field"], found[1]["x-edge-part-of"]) == ("filter.exact_text", "a/*")
    assert found[2] == {"name": "segment", "in": "path", "required": True, "schema": {"type": "string"}}
    assert found[3]["x-edge-spans-segments"] is True
    assert "several segments" in found[3]["description"]


def test_depth_is_bounded() -> None:
    """Messages nested very deep do not make an endless document."""
    chain = "".join(f"message L{n} {{ L{n + 1} n = 1; string s = 2; }}\n" for n in range(20))
    room = Room(f"{chain} message L20 {{ string s = 1; }}")
    assert len(query_parameters(room.message("L0"), set(), room.schemas)) == 8

"""Messages as schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from edge.openapi.notes import read_notes
from edge.openapi.required import Use
from edge.openapi.schemas import Schemas
from edge.wire.codec import JsonOptions, Render
from edge.wire.portable import PORTABLE
from edge.wire.portable.schema import Schema
from tests.openapi_contract import Contract
from tests.unit.openapi.making import Room
from tests.unit.wire.portable.compiling import descriptor_set
from tests.unit.wire.portable.test_against_json_format import messages

_BODY = """
// A thing.
message Thing {
  // Its name.
  string full_name = 1 [(google.api.field_behavior) = REQUIRED];
  repeated Thing parts = 2;
  map<string, Thing> by_name = 3;
  map<int32, int64> counts = 4;
  // When.
  google.protobuf.Timestamp made_at = 5 [(google.api.field_behavior) = OUTPUT_ONLY];
  string secret = 6 [(google.api.field_behavior) = INPUT_ONLY];
  int32 old = 7 [deprecated = true];
  string key = 8 [(google.api.field_behavior) = IDENTIFIER];
  Kind kind = 9;
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_A = 1; }
message Choice {
  oneof one { string a = 1; int32 b = 2; google.protobuf.NullValue c = 3; }
  optional string free = 4;
}
message Choices {
  oneof one { string a = 1; int32 b = 2; }
  oneof two { string c = 3; int32 d = 4; }
  oneof lone { string e = 5; }
}
"""


@pytest.fixture
def room() -> Room:
    """The room of these messages with default options."""
    return Room(_BODY)


def test_a_message_is_a_component_once(room: Room) -> None:
    """A message that holds itself refers to itself."""
    schemas = room.schemas
    assert schemas.message(room.message("Thing"), Use.OUTPUT) == {"$ref": "#/components/schemas/t.v1.Thing"}
    thing = schemas.components["t.v1.Thing"]
    assert thing["description"] == "A thing."
    assert thing["properties"]["parts"] == {"type": "array", "items": {"$ref": "#/components/schemas/t.v1.Thing"}}
    assert thing["properties"]["byName"]["additionalProperties"] == {"$ref": "#/components/schemas/t.v1.Thing"}
    assert thing["properties"]["counts"]["additionalProperties"]["format"] == "int64"
    assert thing["properties"]["kind"] == {"$ref": "#/components/schemas/t.v1.Kind"}
    assert "required" not in thing
    assert set(schemas.components) == {"t.v1.Thing", "t.v1.Kind"}


def test_fields_say_what_they_are_for(room: Room) -> None:
    """Comments, behaviours and deprecation."""
    properties = room.schemas.written_out(room.message("Thing"), Use.OUTPUT)["properties"]
    assert properties["fullName"] == {"type": "string", "description": "Its name."}
    assert properties["madeAt"]["description"] == "When."
    assert properties["madeAt"]["readOnly"] is True
    assert properties["secret"]["writeOnly"] is True
    assert properties["old"]["deprecated"] is True
    assert properties["key"]["x-field-behavior"] == ["IDENTIFIER"]


def test_requests_have_a_schema_of_their_own(room: Room) -> None:
    """Because a field is required there, at every level."""
    assert room.schemas.message(room.message("Thing"), Use.INPUT) == {"$ref": "#/components/schemas/t.v1.Thing-Input"}
    thing = room.schemas.components["t.v1.Thing-Input"]
    assert thing["required"] == ["fullName"]
    assert thing["properties"]["parts"]["items"] == {"$ref": "#/components/schemas/t.v1.Thing-Input"}


def test_proto_names() -> None:
    """As the API prints them."""
    room = Room(_BODY, JsonOptions(proto_names=True, print_defaults=True))
    schema = room.schemas.written_out(room.message("Thing"), Use.OUTPUT)
    assert "full_name" in schema["properties"]
    assert "by_name" in schema["required"]
    assert "made_at" not in schema["required"]  # a message may be absent all the same


def test_what_the_path_fills_is_left_out(room: Room) -> None:
    """At the top and further down."""
    schema = room.schemas.written_out(room.message("Thing"), Use.INPUT, [("full_name",), ("made_at",)])
    assert "fullName" not in schema["properties"]
    assert "required" not in schema
    assert schema["title"] == "Thing"
    holder = Room("message Outer { Inner inner = 1; } message Inner { string a = 1; string b = 2; }")
    outer = holder.schemas.written_out(holder.message("Outer"), Use.INPUT, [("inner", "a")])
    assert list(outer["properties"]["inner"]["properties"]) == ["b"]


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({}, True),
        ({"a": "x"}, True),
        ({"c": None, "free": "x"}, True),
        ({"a": "x", "b": 1}, False),
        ({"b": 1, "c": None}, False),
        ({"a": "x", "b": 1, "c": None}, False),
    ],
)
def test_one_member_of_a_oneof(room: Room, value: Any, fits: bool) -> None:
    """None or one, never two; `optional` fields are no oneof."""
    schema = room.schemas.written_out(room.message("Choice"), Use.OUTPUT)
    contract = Contract({"components": {"schemas": room.schemas.components}, "paths": {}})
    assert (not contract.errors(schema, value)) is fits


def test_two_oneofs(room: Room) -> None:
    """Each counts for itself; one of a single member needs no rule."""
    schema = room.schemas.written_out(room.message("Choices"), Use.OUTPUT)
    contract = Contract({"components": {"schemas": {}}, "paths": {}})
    assert len(schema["allOf"]) == 2
    assert not contract.errors(schema, {"a": "x", "d": 1, "e": "x"})
    assert contract.errors(schema, {"a": "x", "c": "x", "d": 1})


_STYLES = [
    JsonOptions(),
    JsonOptions(proto_names=True, enums="short", int64="number"),
    JsonOptions(enums="numbers", print_defaults=True),
    JsonOptions(print_defaults=True, print_nulls=True),
]


def _everything(options: JsonOptions) -> tuple[Any, Contract, Any]:
    schemas = Schemas(read_notes(descriptor_set()), options)
    message = Schema(descriptor_set()).message("t.All")
    assert message is not None
    schema = schemas.message(message, Use.OUTPUT)
    codec = PORTABLE.api(descriptor_set()).method(
        input_type="t.All",
        output_type="t.All",
        path_fields=(),
        body="*",
        response_body="",
        http_method="POST",
        options=options,
    )
    return codec, Contract({"components": {"schemas": schemas.components}, "paths": {}}), schema


_CHECKED = [(*_everything(options), options) for options in _STYLES]


@given(message=messages())
@pytest.mark.parametrize("checked", _CHECKED, ids=["default", "proto-short-number", "numbers-defaults", "nulls"])
def test_whatever_the_codec_prints_fits(checked: Any, message: Any) -> None:
    """Generated messages of every type of field, in three styles: the schema and the printer agree."""
    codec, contract, schema, options = checked
    body = codec.response(message.SerializeToString(), Render(enums=options.enums)).body
    assert contract.errors(schema, json.loads(body)) == []


def test_nulls_are_shown_where_they_are_printed() -> None:
    """A message that is not set: null in answers, and always there."""
    body = "message N { N self = 1; optional string a = 2; oneof one { N b = 3; N c = 4; } string d = 5; }"
    schema = Room(body, JsonOptions(print_defaults=True, print_nulls=True)).schemas
    room = Room(body)
    shown = schema.written_out(room.message("N"), Use.OUTPUT)
    assert shown["properties"]["self"]["anyOf"][1] == {"type": "null"}
    assert [name for name, each in shown["properties"].items() if "anyOf" in each] == ["self"]
    assert shown["required"] == ["self", "d"]

"""Request bodies and successful answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.openapi.making import documented, rpc

_MESSAGES = """
message M {
  string name = 1 [(google.api.field_behavior) = REQUIRED];
  // The part.
  Part part = 2 [(google.api.field_behavior) = REQUIRED];
  repeated Part parts = 3;
  google.protobuf.Value any = 4;
  google.api.HttpBody raw = 5;
  optional int32 count = 6;
  google.protobuf.Timestamp time = 7;
  string text = 8;
}
message Part { string a = 1; string b = 2 [(google.api.field_behavior) = REQUIRED]; }
"""
_STREAM = (
    _MESSAGES
    + "service S { rpc Do(stream M) returns (stream Part) { option (google.api.http) = {post: '/m' body: '*'}; } }"
)


def _operation(rule: str, **choices: Any) -> Any:
    whole = documented(_MESSAGES + rpc(rule), **choices)
    ((_, item),) = whole["paths"].items()
    ((_, operation),) = item.items()
    return operation


def _json(rule: str, **choices: Any) -> Any:
    return _operation(rule, **choices)["requestBody"]["content"]["application/json"]["schema"]


def _answer(rule: str) -> Any:
    return _operation(rule)["responses"]["200"]["content"]["application/json"]["schema"]


def test_no_body() -> None:
    """A binding without one takes none."""
    assert "requestBody" not in _operation('get: "/m"')


def test_whole_message() -> None:
    """Required, because a field in it is."""
    operation = _operation('post: "/m" body: "*"')
    assert operation["requestBody"]["required"] is True
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/t.v1.M-Input")
    assert "parameters" not in operation


def test_whole_message_without_what_the_path_says() -> None:
    """It is neither there nor required."""
    schema = _json('post: "/m/{name}" body: "*"')
    assert "name" not in schema["properties"]
    assert schema["required"] == ["part"]


def test_one_field() -> None:
    """Described by its comment; the path's share of it left out."""
    operation = _operation('post: "/m/{part.a}" body: "part"')
    assert operation["requestBody"]["description"] == "The part."
    assert list(operation["requestBody"]["content"]["application/json"]["schema"]["properties"]) == ["b"]
    assert _json('post: "/m" body: "parts"') == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/t.v1.Part-Input"},
    }
    assert _json('post: "/m" body: "any"') == {"description": "Any JSON value."}


def test_patch_requires_nothing() -> None:
    """It brings what changes."""
    assert _json('patch: "/m" body: "part"') == {"$ref": "#/components/schemas/t.v1.Part"}
    assert "required" not in _operation('patch: "/m" body: "*"')["requestBody"]


def test_http_body() -> None:
    """Any bytes of any type, up and down."""
    raw = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    operation = _operation('post: "/m" body: "raw" response_body: "raw"')
    assert operation["requestBody"]["content"] == raw
    assert operation["responses"]["200"]["content"] == raw


@pytest.mark.parametrize(
    ("body", "has_form"), [("*", True), ("part", True), ("parts", False), ("any", False), ("text", False)]
)
def test_forms(body: str, has_form: bool) -> None:
    """Where the API takes them, and the body is a message."""
    rule = f'post: "/m" body: "{body}"'
    form = "application/x-www-form-urlencoded"
    assert (form in _operation(rule, json={"form": True})["requestBody"]["content"]) is has_form
    assert form not in _operation(rule)["requestBody"]["content"]


def test_answers() -> None:
    """The message, or one field of it; null where a field can be absent."""
    assert _answer('get: "/m"') == {"$ref": "#/components/schemas/t.v1.M"}
    assert _answer('get: "/m" response_body: "parts"')["type"] == "array"
    assert _answer('get: "/m" response_body: "part"') == {"$ref": "#/components/schemas/t.v1.Part"}
    assert _answer('get: "/m" response_body: "text"') == {"type": "string"}
    assert _answer('get: "/m" response_body: "count"')["anyOf"][1] == {"type": "null"}
    assert _answer('get: "/m" response_body: "time"')["anyOf"][1] == {"type": "null"}
    assert _answer('get: "/m" response_body: "any"') == {"description": "Any JSON value."}


def test_streams() -> None:
    """Three forms of answer, two of request."""
    operation = documented(_STREAM)["paths"]["/m"]["post"]
    asked, answered = operation["requestBody"]["content"], operation["responses"]["200"]["content"]
    part = {"$ref": "#/components/schemas/t.v1.Part"}
    assert list(asked) == ["application/json", "application/x-ndjson"]
    assert answered["application/json"]["schema"] == {"type": "array", "items": part}
    assert answered["application/x-ndjson"]["schema"]["anyOf"][1] == part
    assert answered["text/event-stream"]["schema"]["contentSchema"]["anyOf"][1] == part


def test_streams_in_envelopes() -> None:
    """Lines under JSON's name: a result or an error each."""
    content = documented(_STREAM, streaming={"format": "envelope"})["paths"]["/m"]["post"]["responses"]["200"][
        "content"
    ]
    failed, result = content["application/json"]["schema"]["anyOf"]
    assert (failed["required"], result["required"]) == (["error"], ["result"])
    assert result["properties"]["result"] == {"$ref": "#/components/schemas/t.v1.Part"}

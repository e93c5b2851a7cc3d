"""google.protobuf.Any, both ways."""

from __future__ import annotations

import json

import pytest

from edge.wire.codec import BindingError
from edge.wire.portable.any_type import opaque
from tests.unit.wire.portable.compiling import bind, message_class, method, printed, read


def test_a_message_by_its_type() -> None:
    """B8: Any with a known @type, wherever the key stands."""
    message = read('{"any":{"a":"x","@type":"type.googleapis.com/t.Inner"}}')
    inner = message_class("t.Inner")()
    assert message.any.Unpack(inner)
    assert inner.a == "x"
    assert json.loads(printed(message)) == {"any": {"@type": "type.googleapis.com/t.Inner", "a": "x"}}


@pytest.mark.parametrize(
    "inner",
    [
        {"@type": "x/google.protobuf.Timestamp", "value": "2020-01-01T00:00:00Z"},
        {"@type": "x/google.protobuf.Struct", "value": {"a": 1}},
        {"@type": "x/google.protobuf.Value", "value": None},
        {"@type": "x/google.protobuf.Int64Value", "value": "5"},
        {"@type": "x/google.protobuf.Any", "value": {"@type": "x/t.Inner", "b": 1}},
        {"@type": "x/google.protobuf.Empty"},
        {},
    ],
)
def test_special_types_stand_under_value(inner: dict[str, object]) -> None:
    assert json.loads(printed(read(json.dumps({"any": inner})))) == {"any": inner}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a":"x"}', "any.@type"),
        ('{"@type":5}', "any.@type"),
        ('{"@type":"t.Inner"}', "any.@type"),
        ('{"@type":"x/t.Nope"}', "any.@type"),
        ('{"@type":"x/t2.Grouped"}', "any.@type"),
        ('{"@type":"x/google.protobuf.Timestamp"}', "any"),
        ('{"@type":"x/google.protobuf.Timestamp","value":"x"}', "any.value"),
        ('{"@type":"x/google.protobuf.Timestamp","value":"2020-01-01T00:00:00Z","a":1}', "any"),
        ('{"@type":"x/t2.Old"}', "any.id"),
        ("[]", "any"),
    ],
)
def test_what_is_no_any(text: str, field: str) -> None:
    """B8: a request with an unknown @type is refused."""
    with pytest.raises(BindingError) as caught:
        bind(method(), body=f'{{"any":{text}}}')
    assert caught.value.field == field


def test_an_answer_keeps_what_cannot_be_decoded() -> None:
    """E2, R5: an unknown type, or bytes that are not of it, come as base64; the answer is not lost."""
    message = message_class("t.All")()
    message.any.type_url, message.any.value = "x/nope.T", b"\x01\x02"
    assert (
        json.loads(printed(message))["any"] == {"@type": "x/nope.T", "value": "AQI="} == opaque("x/nope.T", b"\x01\x02")
    )
    message.any.type_url, message.any.value = "x/t.Inner", b"\xff"
    assert json.loads(printed(message))["any"]["value"] == "/w=="


@pytest.mark.parametrize("inner", [{}, {"value": {}}])
def test_nothing_is_written_in_two_ways(inner: dict[str, object]) -> None:
    """B8: Go's protojson puts an Empty under value, the other implementations do not."""
    any_ = {"@type": "x/google.protobuf.Empty", **inner}
    assert read(json.dumps({"any": any_})).any.type_url == "x/google.protobuf.Empty"


def test_nothing_holds_nothing() -> None:
    with pytest.raises(BindingError):
        read('{"any":{"@type":"x/google.protobuf.Empty","value":{"a":1}}}')

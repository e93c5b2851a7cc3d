"""The well-known types with a JSON form of their own, both ways (B8)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from edge.wire.codec import BindingError, EncodeError
from edge.wire.portable import well_known
from tests.unit.wire.portable.compiling import bind, bound, message_class, method, printed, read

ROUND_TRIPS: list[dict[str, Any]] = [
    {"ts": "2020-01-01T00:00:00.000000001Z"},
    {"dur": "-1.500s"},
    {"dur": "0s"},
    {"mask": "a.bC,fooBar"},
    {"mask": ""},
    {"struct": {"a": None, "b": [1, "x", True, {"c": []}], "d": {}}},
    {"struct": {}},
    {"list": [1.5, None, [], {}]},
    {"value": None},
    {"value": "x"},
    {"value": [{"a": 1}]},
    {"value": 5},
    {"value": False},
    {
        "wDouble": 1.5,
        "wFloat": "NaN",
        "wI64": "-5",
        "wU64": "5",
        "wI32": -5,
        "wU32": 5,
        "wBool": False,
        "wText": "",
        "wBytes": "AQ==",
    },
    {"empty": {}},
    {"stamps": ["1970-01-01T00:00:00Z"], "times": {"a": "1970-01-01T00:00:00Z"}},
]


@pytest.mark.parametrize("value", ROUND_TRIPS, ids=str)
def test_round_trip(value: dict[str, Any]) -> None:
    """B8, R1: every well-known type in its JSON form, in and out; present even when it holds its default."""
    assert json.loads(printed(read(json.dumps(value)))) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"ts":5}',
        '{"ts":{}}',
        '{"dur":1}',
        '{"mask":["a"]}',
        '{"mask":"foo_bar"}',
        '{"mask":"a,,b"}',
        '{"struct":[]}',
        '{"list":{}}',
        '{"value":1e999}',
        '{"wI64":"x"}',
        '{"wBool":"true"}',
        '{"wText":5}',
        '{"wBytes":"*"}',
        '{"empty":{"a":1}}',
        '{"empty":[]}',
        '{"wI32":{"value":1}}',
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(BindingError):
        bind(method(), body=text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ts=2020-01-01T00:00:00Z", {"ts": "2020-01-01T00:00:00Z"}),
        ("dur=1.5s", {"dur": "1.500s"}),
        ("dur=-315576000000.9s", {"dur": "-315576000000.900s"}),
        ("mask=fooBar,a.b", {"mask": "fooBar,a.b"}),
        ("mask=foo_bar", {"mask": "fooBar"}),
        ("struct=%7B%22a%22:1%7D", {"struct": {"a": 1}}),
        ("value=null", {"value": None}),
        ("value=%22x%22", {"value": "x"}),
        ("list=[1,2]", {"list": [1, 2]}),
        ("w_i64=5&wText=bare", {"wI64": "5", "wText": "bare"}),
        ("wText=%22quoted%22", {"wText": "quoted"}),
        ("wText=%22", {"wText": '"'}),
        ("wText=null", {"wText": "null"}),
        ("wBool=false", {"wBool": False}),
        ("wBytes=-_8", {"wBytes": "+/8="}),
        ("values=1&values=null", {"values": [1, None]}),
        ("stamps=2020-01-01T00:00:00Z", {"stamps": ["2020-01-01T00:00:00Z"]}),
        ("times[a.b]=2020-01-01T00:00:00Z", {"times": {"a.b": "2020-01-01T00:00:00Z"}}),
    ],
)
def test_as_query_text(query: str, expected: dict[str, Any]) -> None:
    """Q4: Struct and Value as JSON text, wrappers and StringValue bare or quoted, times as text, masks in either spelling."""
    assert json.loads(printed(bound(method(body=""), query=query, name="t.All"))) == expected


@pytest.mark.parametrize(
    "query",
    [
        "ts=null",
        "ts=0000-01-01T00:00:00Z",
        "value=x",
        "value=%7B",
        "struct=[]",
        "list=1",
        "any=%7B%7D",
        "empty=",
        "wI64=null",
        "wText=%22\\x%22",
        "wBool=1",
    ],
)
def test_query_text_that_does_not_fit(query: str) -> None:
    """Q4: "null" for a timestamp and a year below 1 are refused."""
    with pytest.raises(BindingError):
        bind(method(body=""), query=query)


def _value(number: float) -> Any:
    message = message_class("t.All")()
    message.value.number_value = number
    return message


def _filled(field: str, **values: Any) -> Any:
    message = message_class("t.All")()
    for name, value in values.items():
        target = getattr(message, field)
        target.paths.append(value) if name == "paths" else setattr(target, name, value)
    return message


@pytest.mark.parametrize(
    "message",
    [
        _value(math.nan),
        _value(math.inf),
        _filled("ts", seconds=2**40),
        _filled("ts", nanos=-1),
        _filled("dur", seconds=1, nanos=-1),
        _filled("mask", paths="fooBar"),
        _filled("mask", paths="a__b"),
        _filled("mask", paths="a_1"),
        _filled("mask", paths="a,b"),
    ],
    ids=lambda m: str(m).replace("\n", " "),
)
def test_messages_without_a_json_form(message: Any) -> None:
    with pytest.raises(EncodeError):
        printed(message)


def test_every_special_type_is_covered() -> None:
    printable = set(well_known.PRINTERS) | well_known.WRAPPERS | {well_known.ANY}
    assert printable == well_known.SPECIAL

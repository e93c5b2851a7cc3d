"""
google.protobuf.json_format as the independent second opinion: generated messages both ways, and a table of odd values.

Where we mean to differ, DIFFERENCES says so, row by row: a new difference, or one that went away, fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.wire.codec import BindingError
from edge.wire.portable import well_known
from edge.wire.portable.schema import map_entry
from tests.unit.wire.portable.compiling import message_class, pool, printed, read

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=5,
)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    F.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    F.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    F.TYPE_UINT32: st.integers(0, 2**32 - 1),
    F.TYPE_UINT64: st.integers(0, 2**64 - 1),
    # json_format refuses FLT_MAX as anyone writes it, 3.4028235e38: it compares with the double behind it.
    F.TYPE_FLOAT: st.floats(width=32, allow_nan=False).filter(lambda value: not 3.4e38 < abs(value) < float("inf")),
    F.TYPE_DOUBLE: st.floats(allow_nan=False),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: _TEXT,
    F.TYPE_BYTES: st.binary(max_size=8),
    F.TYPE_ENUM: st.sampled_from([0, 1, 2, 3, 99]),
}
_SCALARS |= {
    F.TYPE_SINT32: _SCALARS[F.TYPE_INT32],
    F.TYPE_SFIXED32: _SCALARS[F.TYPE_INT32],
    F.TYPE_FIXED32: _SCALARS[F.TYPE_UINT32],
}
_SCALARS |= {
    F.TYPE_SINT64: _SCALARS[F.TYPE_INT64],
    F.TYPE_SFIXED64: _SCALARS[F.TYPE_INT64],
    F.TYPE_FIXED64: _SCALARS[F.TYPE_UINT64],
}

ALL = pool().FindMessageTypeByName("t.All")


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor = ALL, depth: int = 0) -> Any:
    """A message with a handful of fields set."""
    message = message_class(descriptor.full_name)()
    for field in draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=6, unique=True)):
        _set(draw, message, field, depth)
    return message


def _set(draw: st.DrawFn, message: Any, field: F, depth: int) -> None:
    entry = map_entry(field)
    if entry is not None:
        target, value = getattr(message, field.name), entry.fields_by_name["value"]
        for key in draw(st.lists(_scalar(entry.fields_by_name["key"]), max_size=2, unique=True)):
            if value.message_type:
                _fill(draw, target[key], value.message_type, depth + 1)
            else:
                target[key] = draw(_scalar(value))
    elif field.is_repeated:
        for _ in range(draw(st.integers(0, 3))):
            if field.message_type:
                _fill(draw, getattr(message, field.name).add(), field.message_type, depth + 1)
            else:
                getattr(message, field.name).append(draw(_scalar(field)))
    elif field.message_type:
        target = getattr(message, field.name)
        target.SetInParent()
        _fill(draw, target, field.message_type, depth + 1)
    else:
        setattr(message, field.name, draw(_scalar(field)))


def _scalar(field: F) -> st.SearchStrategy[Any]:
    if field.enum_type and field.enum_type.full_name == "google.protobuf.NullValue":
        return st.just(0)
    return _SCALARS[field.type]


def _fill(draw: st.DrawFn, target: Any, descriptor: Descriptor, depth: int) -> None:
    name = descriptor.full_name
    if name == well_known.TIMESTAMP:
        target.seconds, target.nanos = (
            draw(st.integers(-62_135_596_800, 253_402_300_799)),
            draw(st.integers(0, 10**9 - 1)),
        )
    elif name == well_known.DURATION:
        sign = draw(st.sampled_from([1, -1]))
        target.seconds, target.nanos = (
            sign * draw(st.integers(0, 315_575_999_999)),
            sign * draw(st.integers(0, 10**9 - 1)),
        )
    elif name == well_known.FIELD_MASK:
        target.paths.extend(
            draw(st.lists(st.from_regex(r"[a-z]{1,3}(_[a-z]{1,3})*(\.[a-z]{1,3})?", fullmatch=True), max_size=3))
        )
    elif name in well_known.JSON_TEXT:
        _fill_json(
            target, name, draw(_JSON.filter(lambda value: value is not None))
        )  # json_format refuses [null] for Values
    elif name == well_known.ANY:
        if depth < 3:
            target.Pack(draw(messages(pool().FindMessageTypeByName("t.Inner"), depth + 1)))
    elif depth < 4:
        for field in (
            draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=3, unique=True))
            if descriptor.fields
            else []
        ):
            _set(draw, target, field, depth)


def _fill_json(target: Any, name: str, value: Any) -> None:
    wrapped: dict[str, Any] = {well_known.STRUCT: {"x": value}, well_known.LIST_VALUE: [value], well_known.VALUE: value}
    json_format.ParseDict(wrapped[name], target)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_both_print_and_read_the_same(message: Any) -> None:
    """B8, B9, R1: for generated messages, what either prints the other reads, and both print the same values."""
    theirs = json_format.MessageToJson(message, descriptor_pool=pool())
    ours = printed(message)
    assert json.loads(ours) == json.loads(theirs)
    assert read(theirs) == message
    assert json_format.Parse(ours, message_class("t.All")(), descriptor_pool=pool()) == message


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_both_print_defaults_and_proto_names_the_same(message: Any) -> None:
    """R1, R2: with defaults printed, proto names and enums as numbers."""
    theirs = json_format.MessageToJson(
        message,
        descriptor_pool=pool(),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        use_integers_for_enums=True,
    )
    ours = json.loads(printed(message, proto_names=True, print_defaults=True, enums="numbers"))
    assert _without_nulls(ours) == _without_nulls(json.loads(theirs))


def _without_nulls(value: Any) -> Any:
    """json_format prints a NullValue as 0 with integers for enums; that is its business."""
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if k not in ("null", "nothing")}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


VALUES = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.0",
    "1.5",
    "1e2",
    "-0",
    "1e40",
    "1e400",
    "2147483648",
    "18446744073709551616",
    '""',
    '"1"',
    '"-1"',
    '"1.0"',
    '"1e2"',
    '"1.5"',
    '" 1"',
    '"1 "',
    '"+1"',
    '"1_0"',
    '"0x1"',
    '"007"',
    '"NaN"',
    '"nan"',
    '"Infinity"',
    '"-Infinity"',
    '"inf"',
    "NaN",
    "Infinity",
    '"true"',
    '"abc"',
    '"BOOK_VIEW_FULL"',
    '"book_view_full"',
    "99",
    '"99"',
    '"YQ=="',
    '"YQ"',
    '"-_8"',
    '"+/8="',
    '"Y"',
    "[]",
    "{}",
    "[1]",
    '{"a":1}',
    '[""]',
    '"2020-01-01T00:00:00Z"',
    '"2020-01-01T00:00:00.123456789+01:00"',
    '"2020-01-01t00:00:00z"',
    '"0000-01-01T00:00:00Z"',
    '"2020-01-01"',
    '"1s"',
    '"1.5s"',
    '"-1.000000001s"',
    '".5s"',
    '"1.s"',
    '"+1s"',
    '"315576000001s"',
    '"a,b"',
    '"fooBar"',
    '"foo_bar"',
    '"a,,b"',
    '"é"',
]
FIELDS = [
    "i32",
    "u32",
    "i64",
    "u64",
    "flt",
    "dbl",
    "flag",
    "text",
    "data",
    "view",
    "inner",
    "ts",
    "dur",
    "mask",
    "struct",
    "value",
    "list",
    "empty",
    "wDouble",
    "wI64",
    "wBool",
    "wText",
    "wBytes",
    "texts",
    "views",
    "labels",
    "nothing",
    "null",
    "maybe",
    "values",
    "stamps",
]

# What Python's int() and float() let pass is no JSON number.
_INT = {(value, "we refuse") for value in ('"+1"', '"1_0"')}
_FLOAT = _INT | {(value, "we refuse") for value in ("true", "false", '" 1"', '"1 "', '"inf"')}
# json_format drops from base64 whatever is not of its alphabet.
_BASE64 = {(value, "we refuse") for value in VALUES if value[:5] in ('"2020', '"0000') and len(value) > 12} | {
    (value, "we refuse") for value in ('"1.5s"', '"-1.000000001s"', '"a,,b"', '"é"')
}
# Undeclared numbers are kept when written as numbers; json_format also takes booleans, fractions and padded text.
_ENUM = {
    (value, "we refuse") for value in ("true", "false", "1.5", '"-1"', '" 1"', '"1 "', '"+1"', '"1_0"', '"007"', '"99"')
}
_EMPTY = {(value, "we refuse") for value in ('""', "[]")}

DIFFERENCES: dict[str, set[tuple[str, str]]] = {
    **dict.fromkeys(("i32", "u32", "i64", "u64", "wI64", "maybe"), _INT),
    **dict.fromkeys(("flt", "dbl", "wDouble"), _FLOAT),
    **dict.fromkeys(("data", "wBytes"), _BASE64),
    "view": _ENUM,
    **dict.fromkeys(("nothing", "null"), _ENUM | {('"1"', "we refuse")}),
    **dict.fromkeys(("inner", "empty"), _EMPTY),
    "dur": {('"1.s"', "we refuse"), ('"+1s"', "we refuse")},
    "mask": {('"a,,b"', "we refuse")},
    "value": {(value, "we refuse") for value in ("1e400", "NaN", "Infinity")},
    "values": {("null", "they refuse")},  # json_format's oversight: null is a Value
}


def _ours(text: str) -> Any:
    try:
        return read(text)
    except BindingError:
        return None


def _theirs(text: str) -> Any:
    try:
        return json_format.Parse(text, message_class("t.All")(), descriptor_pool=pool())
    except (json_format.ParseError, OverflowError, ValueError):
        return None


def _differences(field: str) -> Iterator[tuple[str, str]]:
    for value in VALUES:
        text = f'{{"{field}":{value}}}'
        ours, theirs = _ours(text), _theirs(text)
        if str(ours) != str(theirs):
            yield value, "we refuse" if ours is None else "they refuse" if theirs is None else "values differ"


@pytest.mark.parametrize("field", FIELDS)
def test_odd_values_are_taken_alike(field: str) -> None:
    """B8: every type against every odd value; the rows where we differ are meant."""
    assert set(_differences(field)) == DIFFERENCES.get(field, set())

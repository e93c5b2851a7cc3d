"""
The well-known types with a JSON form of their own, both ways: times, masks, wrappers, Struct and its kin. Any is in `any_type`.

Owns these forms. Reading raises Misfit, printing raises ValueError for a message that has no JSON form (a Timestamp of the year
10000, an infinite Value). Source: the comments of google/protobuf/{timestamp,duration,field_mask,struct,wrappers}.proto.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

from google.protobuf.descriptor import Descriptor

from edge.wire.portable import times
from edge.wire.portable.json_parse import Json, parse_json_text
from edge.wire.portable.misfit import Misfit, kind, shown
from edge.wire.portable.numbers import print_double
from edge.wire.portable.plan import Fill, Proto
from edge.wire.portable.scalars import CONVERTERS, Convert, double, string

TIMESTAMP = "google.protobuf.Timestamp"
DURATION = "google.protobuf.Duration"
FIELD_MASK = "google.protobuf.FieldMask"
STRUCT = "google.protobuf.Struct"
VALUE = "google.protobuf.Value"
LIST_VALUE = "google.protobuf.ListValue"
ANY = "google.protobuf.Any"
STRING_VALUE = "google.protobuf.StringValue"
WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
JSON_TEXT = frozenset({STRUCT, VALUE, LIST_VALUE})
SPECIAL = frozenset({TIMESTAMP, DURATION, FIELD_MASK, ANY}) | JSON_TEXT | WRAPPERS
PATH_TYPES = frozenset({TIMESTAMP, DURATION, FIELD_MASK}) | WRAPPERS
"""The message types a path variable may fill: those whose text is a plain word."""

_TO_SNAKE = str.maketrans({letter: f"_{letter.lower()}" for letter in ascii_uppercase})
_SNAKE = re.compile(r"_([a-z])")
_NO_CAMEL = re.compile(r"[A-Z]|_(?![a-z])")


def filler(descriptor: Descriptor, max_depth: int) -> Fill:
    """How a special type other than Any is read from JSON."""
    name = descriptor.full_name
    if name in WRAPPERS:
        return wrapper_filler(CONVERTERS[descriptor.fields_by_name["value"].type])
    return _fillers(max_depth)[name]


def text_filler(
    descriptor: Descriptor, convert: dict[int, Convert], max_depth: int
) -> Callable[[Any, str], None] | None:
    """How a special type is read from path or query text; None when it is not."""
    name = descriptor.full_name
    if name == ANY:
        return None
    if name == FIELD_MASK:
        return _fill_mask_text
    if name in JSON_TEXT:
        fill = filler(descriptor, max_depth)
        return lambda message, text: fill(message, parse_json_text(text), 1)
    if name == STRING_VALUE:
        return lambda message, text: setattr(message, "value", _unquoted(text))
    fill = (
        wrapper_filler(convert[descriptor.fields_by_name["value"].type]) if name in WRAPPERS else filler(descriptor, 1)
    )
    return lambda message, text: fill(message, text, 1)


def wrapper_filler(convert: Convert) -> Fill:
    """A wrapper's JSON is its value's."""

    def fill(message: Proto, value: Json, depth: int) -> None:
        message.value = convert(value)

    return fill


def _unquoted(text: str) -> str:
    """A StringValue in a query may be bare or a JSON string; both are in use."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    return string(parse_json_text(text))


def _fill_timestamp(message: Proto, value: Json, depth: int) -> None:
    message.seconds, message.nanos = times.parse_timestamp(string(value))


def _fill_duration(message: Proto, value: Json, depth: int) -> None:
    message.seconds, message.nanos = times.parse_duration(string(value))


def _fill_mask(message: Proto, value: Json, depth: int) -> None:
    if "_" in string(value):
        raise Misfit(f"{shown(value)} must be in lowerCamelCase")
    _fill_mask_text(message, value)


def _fill_mask_text(message: Proto, text: str) -> None:
    """In paths and queries proto names are taken too: that is what Google's documentation and most clients write."""
    paths = text.translate(_TO_SNAKE).split(",") if text else []
    if not all(paths):
        raise Misfit(f"{shown(text)} has an empty path")
    message.paths.extend(paths)


def _fillers(max_depth: int) -> dict[str, Fill]:
    """Struct, Value and ListValue refer to each other; the rest come along."""

    def fill_struct(message: Proto, value: Json, depth: int) -> None:
        if type(value) is not dict:
            raise Misfit(f"must be an object, not {kind(value)}")
        _refuse_deep(depth, max_depth)
        fields = message.fields
        for key, item in value.items():
            try:
                fill_value(fields[key], item, depth + 1)
            except Misfit as misfit:
                raise misfit.within(key) from None

    def fill_list(message: Proto, value: Json, depth: int) -> None:
        if type(value) is not list:
            raise Misfit(f"must be an array, not {kind(value)}")
        _refuse_deep(depth, max_depth)
        values = message.values
        for index, item in enumerate(value):
            try:
                fill_value(values.add(), item, depth + 1)
            except Misfit as misfit:
                raise misfit.at(index) from None

    def fill_value(message: Proto, value: Json, depth: int) -> None:
        if value is None:
            message.null_value = 0
        elif type(value) is str:
            message.string_value = value
        elif type(value) is bool:
            message.bool_value = value
        elif type(value) is dict:
            message.struct_value.SetInParent()
            fill_struct(message.struct_value, value, depth)
        elif type(value) is list:
            message.list_value.SetInParent()
            fill_list(message.list_value, value, depth)
        else:
            message.number_value = double(value)

    return {
        TIMESTAMP: _fill_timestamp,
        DURATION: _fill_duration,
        FIELD_MASK: _fill_mask,
        STRUCT: fill_struct,
        LIST_VALUE: fill_list,
        VALUE: fill_value,
    }


def _refuse_deep(depth: int, max_depth: int) -> None:
    if depth > max_depth:
        raise Misfit("the JSON is nested too deep")


def print_timestamp(message: Proto) -> str:
    """RFC 3339."""
    return times.print_timestamp(message.seconds, message.nanos)


def print_duration(message: Proto) -> str:
    """Seconds with an `s`."""
    return times.print_duration(message.seconds, message.nanos)


def print_mask(message: Proto) -> str:
    """Paths in lowerCamelCase; a path that could not be read back has no JSON form."""
    for path in message.paths:
        if _NO_CAMEL.search(path) or "," in path:
            raise ValueError(f"the FieldMask path {json.dumps(path)} has no JSON form")
    return ",".join(_SNAKE.sub(lambda match: match[1].upper(), path) for path in message.paths)


def print_struct(message: Proto) -> dict[str, Any]:
    """An object, keys in order."""
    fields = message.fields
    return {key: print_value(fields[key]) for key in sorted(fields)}


def print_list(message: Proto) -> list[Any]:
    """An array."""
    return [print_value(value) for value in message.values]


def print_value(message: Proto) -> Json:
    """Whatever it holds; a Value that holds nothing reads as null."""
    which = message.WhichOneof("kind")
    if which is None or which == "null_value":
        return None
    if which == "struct_value":
        return print_struct(message.struct_value)
    if which == "list_value":
        return print_list(message.list_value)
    value = getattr(message, which)
    if which != "number_value":
        return value
    if not math.isfinite(value):
        raise ValueError("a Value cannot hold NaN or infinity")
    return print_double(value)


PRINTERS: dict[str, Callable[[Any], Any]] = {
    TIMESTAMP: print_timestamp,
    DURATION: print_duration,
    FIELD_MASK: print_mask,
    STRUCT: print_struct,
    LIST_VALUE: print_list,
    VALUE: print_value,
}
"""Of the special types but Any and the wrappers, whose values print like any scalar."""

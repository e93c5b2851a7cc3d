"""
Scalars from JSON and from text: one converter per protobuf type, used by bodies, paths and queries alike.

Owns ranges and spellings: integers of any JSON form with an integral value, the three non-finite names, base64 in either
alphabet with or without padding. Text is never trimmed, and `1_0`, `+1` or `nan` are no numbers, whatever Python thinks.
Source: the proto3 JSON mapping, https://protobuf.dev/programming-guides/json/.
"""

from __future__ import annotations

import binascii
import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor as F

from edge.wire.portable.json_parse import Json
from edge.wire.portable.misfit import Misfit, kind, shown

Convert = Callable[[Any], Any]
"""From a JSON value to what a message field is set to; raises Misfit."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_MAX_NUMBER_CHARACTERS = 400  # the longest double written out in full has 309 digits before the point
_MAX_INTEGER_EXPONENT = 20
_FLOAT32_END = 3.4028235677973366e38  # the first double that rounds to infinity as a float: FLT_MAX and half a step

_FLOAT = struct.Struct("<f")
_NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BASE64_OF_URL = str.maketrans("-_", "+/")


def integer(low: int, high: int) -> Convert:
    """A converter for integers in [low, high], written as a number or a string."""

    def convert(value: Json) -> int:
        if type(value) is int:
            number = value
        elif type(value) is str:
            number = _integer_of_text(value)
        elif type(value) is float:
            number = _integer_of_float(value)
        else:
            raise Misfit(f"must be an integer, not {kind(value)}")
        if not low <= number <= high:
            raise Misfit(f"{shown(value)} is not between {low} and {high}")
        return number

    return convert


def _integer_of_text(text: str) -> int:
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) > _MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(text):
        raise Misfit(f"{shown(text)} is not an integer")
    number = Decimal(text)
    if number and number.adjusted() > _MAX_INTEGER_EXPONENT:  # before int() writes out 1e999999
        raise Misfit(f"{shown(text)} is out of range")
    whole = int(number)
    if whole != number:
        raise Misfit(f"{shown(text)} is not an integer")
    return whole


def _integer_of_float(number: float) -> int:
    if not number.is_integer():
        raise Misfit(f"{shown(number)} is not an integer")
    return int(number)


def double(value: Json) -> float:
    """A double; a finite text that overflows it is refused."""
    if type(value) is float or type(value) is int:
        number = _float_of_number(value)
    elif type(value) is str:
        if value in _NON_FINITE:
            return _NON_FINITE[value]
        if len(value) > _MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(value):
            raise Misfit(f"{shown(value)} is not a number")
        number = float(value)
    else:
        raise Misfit(f"must be a number, not {kind(value)}")
    if math.isinf(number):
        raise Misfit("the number is too large for a double")
    return number


def _float_of_number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def single(value: Json) -> float:
    """A float; a finite value that rounds to infinity is refused."""
    number = double(value)
    if _FLOAT32_END <= abs(number) < math.inf:
        raise Misfit(f"{shown(value)} is too large for a float")
    return number


def boolean(value: Json) -> bool:
    """A JSON boolean."""
    if value is True or value is False:
        return bool(value)
    raise Misfit(f"must be true or false, not {kind(value)}")


def boolean_text(lenient: bool) -> Convert:
    """A converter for `true` and `false` in paths, queries and map keys; `lenient` adds 1 and 0."""
    values = {"true": True, "false": False}
    if lenient:
        values |= {"1": True, "0": False}

    def convert(text: Json) -> bool:
        try:
            return values[text]
        except KeyError:
            raise Misfit(f"{shown(text)} is neither true nor false") from None

    return convert


def string(value: Json) -> str:
    """A string."""
    if type(value) is str:
        return value
    raise Misfit(f"must be a string, not {kind(value)}")


def octets(value: Json) -> bytes:
    """Bytes from base64, standard or URL alphabet, with or without padding."""
    text = string(value).translate(_BASE64_OF_URL).rstrip("=")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:  # binascii.Error, and text that is not ASCII
        raise Misfit("the text is not base64") from None


_INT32 = integer(-(2**31), 2**31 - 1)
_INT64 = integer(-(2**63), 2**63 - 1)
_UINT32 = integer(0, 2**32 - 1)
_UINT64 = integer(0, 2**64 - 1)

CONVERTERS: dict[int, Convert] = {
    F.TYPE_INT32: _INT32,
    F.TYPE_SINT32: _INT32,
    F.TYPE_SFIXED32: _INT32,
    F.TYPE_INT64: _INT64,
    F.TYPE_SINT64: _INT64,
    F.TYPE_SFIXED64: _INT64,
    F.TYPE_UINT32: _UINT32,
    F.TYPE_FIXED32: _UINT32,
    F.TYPE_UINT64: _UINT64,
    F.TYPE_FIXED64: _UINT64,
    F.TYPE_DOUBLE: double,
    F.TYPE_FLOAT: single,
    F.TYPE_BOOL: boolean,
    F.TYPE_STRING: string,
    F.TYPE_BYTES: octets,
}
"""From JSON values, by FieldDescriptor.type. Enums have converters of their own (`enums`)."""


def text_converters(lenient_bools: bool) -> dict[int, Convert]:
    """From text, by FieldDescriptor.type: what a JSON string may say, booleans by name, and floats as a message will hold them."""
    return {**CONVERTERS, F.TYPE_BOOL: boolean_text(lenient_bools), F.TYPE_FLOAT: _held_single}


def _held_single(value: Json) -> float:
    """A float rounded: what the path says is compared with what the message holds of the body."""
    (held,) = _FLOAT.unpack(_FLOAT.pack(single(value)))
    return float(held)

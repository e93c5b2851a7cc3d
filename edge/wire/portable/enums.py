"""
Enum values by name, number and short name, both ways.

Owns which spellings are taken and printed. Input takes every spelling, whatever an API prints: `?view=FULL` is what people write, and
a full name always wins over another's short one. A number that the enum does not declare is kept in a JSON body of an open enum
(a client must be able to send back what a newer service gave it; Envoy does the same) and refused everywhere else.
"""

from __future__ import annotations

import re
from typing import Literal

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from edge.wire.portable.json_parse import Json
from edge.wire.portable.misfit import Misfit, kind, shown
from edge.wire.portable.scalars import CONVERTERS, Convert

NULL_VALUE = "google.protobuf.NullValue"

_DIGITS = re.compile(r"-?[0-9]{1,20}")
_int32 = CONVERTERS[FieldDescriptor.TYPE_INT32]


def short_name(enum: str, value: str) -> str:
    """`value` without the name of its enum before it: BOOK_VIEW_FULL of BookView is FULL. Itself when nothing sensible is left."""
    rest = value
    for letter in enum.replace("_", "").upper():
        rest = rest.lstrip("_")
        if not rest.upper().startswith(letter):
            return value
        rest = rest[1:]
    short = rest.lstrip("_")
    return short if rest.startswith("_") and short.isidentifier() else value


def enum_names(enum: EnumDescriptor, style: Literal["names", "short"]) -> dict[int, str]:
    """What each number is printed as; of aliases the first declared."""
    names: dict[int, str] = {}
    for value in enum.values:
        names.setdefault(value.number, short_name(enum.name, value.name) if style == "short" else value.name)
    return names


def enum_numbers(enum: EnumDescriptor) -> dict[str, int]:
    """Every spelling and its number; a short name that two values would share is none."""
    full = {value.name: value.number for value in enum.values}
    short: dict[str, set[int]] = {}
    for name, number in full.items():
        short.setdefault(short_name(enum.name, name), set()).add(number)
    return {name: numbers.pop() for name, numbers in short.items() if len(numbers) == 1} | full


def enum_converter(enum: EnumDescriptor, *, text: bool) -> Convert:
    """A converter for `enum`; `text` is for paths and queries, where a number must be a declared one."""
    numbers = enum_numbers(enum)
    declared = frozenset(numbers.values())
    only_declared = text or enum.is_closed
    null = enum.full_name == NULL_VALUE

    def convert(value: Json) -> int:
        if type(value) is str:
            number = numbers.get(value)
            return number if number is not None else _of_number(value, known=True)
        if value is None and null:
            return 0
        if value is None or isinstance(value, bool | list | dict):
            raise Misfit(f"must be a name or number of {enum.full_name}, not {kind(value)}")
        return _of_number(value, known=only_declared)

    def _of_number(value: Json, known: bool) -> int:
        try:
            number: int = _int32(value if type(value) is not str or _DIGITS.fullmatch(value) else None)
        except Misfit:
            raise Misfit(f"{shown(value)} is no value of {enum.full_name}") from None
        if known and number not in declared:
            raise Misfit(f"{shown(value)} is no value of {enum.full_name}")
        return number

    return convert

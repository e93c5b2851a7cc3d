"""
Strict JSON: bytes to Python values, or a Misfit with the offset.

Owns what RFC 8259 leaves open and the standard library lets pass: duplicate keys, NaN and Infinity, byte order marks, lone
surrogates and invalid UTF-8 are refused. Numbers are bounded by the interpreter's 4,300-digit limit, nesting by its recursion
limit; both are met before any work in proportion to the input is done. Source: RFC 8259, RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeAlias

from edge.wire.portable.misfit import Misfit, shortened

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict. Python's type system cannot say more without casts at each use."""

_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: fine
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # one alone
    r"|\\."  # any other escape, so that `\\ud800` is read as a backslash and text
)


class _DuplicateKey(Exception):
    """An object has a key twice; where is found out afterwards."""


class _Twice:
    """Stands for an object with a duplicate key while its place is looked for."""

    def __init__(self, key: str) -> None:
        self.key = key


def parse_json(body: bytes) -> Json:
    """The value of a JSON text in UTF-8. Raises Misfit."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Misfit("the body is not valid UTF-8", offset=error.start) from None
    return parse_json_text(text)


def parse_json_text(text: str) -> Json:
    """The value of a JSON text. Raises Misfit."""
    if text.startswith("\ufeff"):
        raise Misfit("JSON must not start with a byte order mark", offset=0)
    if "\\" in text and ("\\ud" in text or "\\uD" in text):  # one character is found many times faster than three
        _refuse_lone_surrogates(text)
    try:
        try:
            return _DECODER.decode(text)
        except _DuplicateKey:
            tree = _MARKING_DECODER.decode(
                text
            )  # a second parse, paid only by who sent it; what is no JSON further on is refused as that
    except RecursionError:
        raise Misfit("the JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        raise Misfit(f"invalid JSON: {error.msg}", offset=error.pos) from None
    except ValueError as error:
        raise Misfit(f"invalid JSON: {_why(error)}") from None
    raise Misfit("the key appears twice in one object", path=_path_to_twice(tree))


def refuse_deeper(value: Json, levels: int) -> None:
    """Raise Misfit when `value` nests more than `levels` arrays and objects."""
    layer = [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        if levels == 0:
            raise Misfit("the JSON is nested too deep")
        levels -= 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKey
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} must be written as a string")


_DECODER = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)


def _why(error: ValueError) -> str:
    text = str(error)
    return "a number has too many digits" if "digits" in text else text


def _refuse_lone_surrogates(text: str) -> None:
    for match in _SURROGATE.finditer(text):
        if match.group(1):
            raise Misfit("a lone surrogate is not a character", offset=match.start())


def _mark_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            return _Twice(key)
        result[key] = value
    return result


_MARKING_DECODER = json.JSONDecoder(object_pairs_hook=_mark_duplicates, parse_constant=_refuse_constant)


def _path_to_twice(tree: Json) -> str:
    """Where a duplicate key is. Only its own path is spelled out: one per value would be gigabytes for a megabyte of keys."""
    pending: list[tuple[Json, _Trail]] = [(tree, None)]
    while pending:
        value, trail = pending.pop()
        if isinstance(value, _Twice):
            return _spelled((trail, value.key))
        items = value.items() if isinstance(value, dict) else enumerate(value)
        pending += [(item, (trail, key)) for key, item in items if isinstance(item, dict | list | _Twice)]
    raise AssertionError("no key appears twice")


_Trail: TypeAlias = "tuple[_Trail, str | int] | None"
"""The way down to a value, from its last step up: values beside each other share what is above them."""


def _spelled(trail: _Trail) -> str:
    steps: list[str | int] = []
    while trail is not None:
        trail, step = trail
        steps.append(step)
    path = ""
    for step in reversed(steps):
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{shortened(step)}" if path else shortened(step)
    return path

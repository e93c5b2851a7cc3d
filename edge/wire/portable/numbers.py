"""
Floating-point numbers as JSON: the shortest text that reads back as the same number, and names for those JSON lacks.

Owns the shortest form of a 32-bit float: 0.1f prints 0.1, not the double 0.10000000149011612 it is stored as.
"""

from __future__ import annotations

import math
import struct

_FLOAT = struct.Struct("<f")
_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}
_EXACT_INTEGERS = 2**53
_FAITHFUL_DIGITS = 6  # that many survive any (normal) float, so fewer are found by these
_ENOUGH_DIGITS = 9  # of a float, IEEE 754-2019 section 5.12.2


def print_double(value: float) -> float | str:
    """A double, or its name. Whole numbers print without `.0`, as every other implementation prints them."""
    if not math.isfinite(value):
        return _NAMES.get(value, "NaN")
    return int(value) if _is_plain_integer(value) else value


def print_float(value: float) -> float | str:
    """A float as the double with the fewest digits that rounds to it, or its name."""
    if not math.isfinite(value):
        return _NAMES.get(value, "NaN")
    short = _shortest(value)
    return int(short) if _is_plain_integer(short) else short


def _shortest(value: float) -> float:
    for digits in range(_FAITHFUL_DIGITS, _ENOUGH_DIGITS):
        short = float(f"{value:.{digits}g}")
        if _same_float(short, value):
            return short
    return float(f"{value:.{_ENOUGH_DIGITS}g}")


def _is_plain_integer(value: float) -> bool:
    """Whether an integer's text says all of a float: not for -0.0, and not where its digits would feign precision."""
    return value.is_integer() and abs(value) < _EXACT_INTEGERS and (value != 0 or math.copysign(1, value) > 0)


def _same_float(short: float, value: float) -> bool:
    try:
        (rounded,) = _FLOAT.unpack(_FLOAT.pack(short))
    except OverflowError:  # six digits of FLT_MAX round up past it
        return False
    return bool(rounded == value)

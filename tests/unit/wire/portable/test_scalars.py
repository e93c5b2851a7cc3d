"""Scalars from JSON and from text."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor as F
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.misfit import Misfit
from edge.wire.portable.scalars import CONVERTERS, text_converters

LIMITS = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1),
    F.TYPE_SINT64: (-(2**63), 2**63 - 1),
    F.TYPE_FIXED32: (0, 2**32 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1),
}


@pytest.mark.parametrize(("type_", "limits"), LIMITS.items())
def test_integers_reach_their_limits_and_not_past(type_: int, limits: tuple[int, int]) -> None:
    """Q4, B8: min and max of every int type, as number and as string; one more is refused."""
    convert = CONVERTERS[type_]
    low, high = limits
    assert [convert(low), convert(str(low)), convert(high), convert(str(high))] == [low, low, high, high]
    for value in (low - 1, str(low - 1), high + 1, str(high + 1)):
        with pytest.raises(Misfit, match="not between"):
            convert(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.0, 1),
        (1e5, 100000),
        ("1.0", 1),
        ("1e2", 100),
        ("-0", 0),
        ("12.50e1", 125),
        (-0.0, 0),
        ("007", 7),
        ("0e999999999", 0),
    ],
)
def test_integral_values_of_any_form_are_integers(value: Any, number: int) -> None:
    """B8: exponents and `1.0` per the proto3 JSON mapping."""
    assert CONVERTERS[F.TYPE_INT32](value) == number


def test_large_integral_text_is_exact() -> None:
    """A string with a fraction does not pass through a double."""
    assert CONVERTERS[F.TYPE_INT64]("9007199254740993.0") == 9007199254740993


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        "1.5",
        "",
        " 1",
        "1 ",
        "+1",
        "1_0",
        "0x1",
        "١",
        "NaN",
        "1e",
        "1e-1",
        "1e999999999",
        "1e9999999999",
        "9" * 10**6,
        True,
        None,
        [],
        {},
        math.inf,
        "1e-999999999",
    ],
)
def test_what_is_no_integer(value: Any) -> None:
    """P7: overflow and NaN text are refused."""
    with pytest.raises(Misfit):
        CONVERTERS[F.TYPE_INT32](value)


@pytest.mark.parametrize(
    ("text", "value"), [("Infinity", math.inf), ("-Infinity", -math.inf), ("1.5e-3", 0.0015), ("-0", 0.0), (2, 2.0)]
)
def test_doubles(text: Any, value: float) -> None:
    """Q4: NaN, Infinity and -Infinity by name."""
    assert CONVERTERS[F.TYPE_DOUBLE](text) == value
    assert CONVERTERS[F.TYPE_FLOAT](text) == value
    assert math.isnan(CONVERTERS[F.TYPE_DOUBLE]("NaN"))


@pytest.mark.parametrize(
    "value",
    ["nan", "inf", "infinity", "1e999", math.inf, 10**400, "1_0", " 1", "", ".5", "5.", True, None, "0x1p3", "1" * 401],
)
def test_what_is_no_double(value: Any) -> None:
    with pytest.raises(Misfit):
        CONVERTERS[F.TYPE_DOUBLE](value)


@pytest.mark.parametrize("value", [3.4028236e38, "3.5e38", -1e39, 3.4028235677973366e38])
def test_float_overflow(value: Any) -> None:
    """Q4: float overflow is refused."""
    with pytest.raises(Misfit, match="too large for a float"):
        CONVERTERS[F.TYPE_FLOAT](value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_taken_exactly_when_it_can_be_packed(value: float) -> None:
    try:
        struct.pack("<f", value)
    except OverflowError:
        with pytest.raises(Misfit):
            CONVERTERS[F.TYPE_FLOAT](value)
    else:
        assert CONVERTERS[F.TYPE_FLOAT](value) == value


@pytest.mark.parametrize("text", ["+/8=", "+/8", "-_8=", "-_8"])
def test_base64_in_either_alphabet_padded_or_not(text: str) -> None:
    """P7, B8: std and url base64, padded or not."""
    assert CONVERTERS[F.TYPE_BYTES](text) == b"\xfb\xff"


@pytest.mark.parametrize("value", ["a", "ab c", "ab\n", "äöü!", "a=b=", 5, None])
def test_what_is_no_base64(value: Any) -> None:
    with pytest.raises(Misfit):
        CONVERTERS[F.TYPE_BYTES](value)


@pytest.mark.parametrize("value", ["true", 1, 0, None, "1"])
def test_json_booleans_are_true_and_false_only(value: Any) -> None:
    with pytest.raises(Misfit):
        CONVERTERS[F.TYPE_BOOL](value)


def test_text_booleans() -> None:
    """Q4: bool only true and false, and 1 and 0 by option."""
    strict, lenient = (text_converters(option)[F.TYPE_BOOL] for option in (False, True))
    assert (strict("true"), strict("false")) == (True, False)
    assert (lenient("1"), lenient("0"), lenient("true")) == (True, False, True)
    for text in ("1", "0", "True", "TRUE", "", "yes"):
        with pytest.raises(Misfit):
            strict(text)


def test_strings_are_strings() -> None:
    assert CONVERTERS[F.TYPE_STRING]("5") == "5"
    with pytest.raises(Misfit, match="must be a string, not a number"):
        CONVERTERS[F.TYPE_STRING](5)

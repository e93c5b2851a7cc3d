"""Floating-point numbers as JSON."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.numbers import print_double, print_float


def _float(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.1, 0.1), (16777216.0, 16777216), (3.4028234663852886e38, 3.4028235e38), (1.1, 1.1), (-2.5e-7, -2.5e-7)],
)
def test_floats_print_short(value: float, printed: float) -> None:
    """R1: a float prints with the fewest digits that read back."""
    assert print_float(_float(value)) == printed


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_reads_back(value: float) -> None:
    printed = print_float(value)
    assert isinstance(printed, float | int)
    assert _float(printed) == value


@pytest.mark.parametrize("printer", [print_double, print_float])
def test_the_three_names(printer: Any) -> None:
    assert [printer(v) for v in (math.nan, math.inf, -math.inf)] == ["NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("printer", [print_double, print_float])
def test_whole_numbers_print_as_integers_but_minus_zero_keeps_its_sign(printer: Any) -> None:
    assert repr(printer(3.0)) == "3"
    assert repr(printer(0.0)) == "0"
    assert repr(printer(-0.0)) == "-0.0"
    assert isinstance(printer(2.0**60), float)

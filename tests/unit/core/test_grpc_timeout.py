"""grpc-timeout: the specification's forms, and the promise never to lengthen a deadline."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.grpc_timeout import TimeoutFormatError, format_timeout, parse_timeout


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"1H", 3600.0),
        (b"10M", 600.0),
        (b"5S", 5.0),
        (b"100m", 0.1),
        (b"100u", 0.0001),
        (b"1n", 1e-9),
        (b"0S", 0.0),
        (b"00000001S", 1.0),
        (b"99999999H", 99999999 * 3600.0),
    ],
)
def test_reads_each_unit(text: bytes, seconds: float) -> None:
    assert parse_timeout(text) == seconds


@pytest.mark.parametrize(
    "text",
    [b"", b"S", b"5", b"123456789S", b"5s", b"5h", b"-5S", b"+5S", b"5.5S", b" 5S", b"5S ", b"1_0S", b"\xb2S", b"5 S"],
)
def test_refuses_what_the_specification_does_not_allow(text: bytes) -> None:
    with pytest.raises(TimeoutFormatError):
        parse_timeout(text)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-12, -float("inf")])
def test_never_writes_zero(seconds: float) -> None:
    assert format_timeout(seconds) == b"1n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.05, b"50000000n"),
        (0.1, b"100000u"),
        (0.9999999, b"999999u"),
        (1.0, b"1000m"),
        (15.0, b"15000m"),
        (14.9999999, b"14999m"),
        (1.9999999999999998, b"1999m"),
        (99_999.9999, b"99999999m"),
        (1e5, b"100000S"),
        (1e30, b"99999999H"),
    ],
)
def test_uses_a_unit_that_loses_little_and_is_never_longer(seconds: float, text: bytes) -> None:
    assert format_timeout(seconds) == text


@given(st.floats(min_value=1e-9, max_value=1e12))
@example(0.042127160999999996)  # the product with 10^9 rounds up to 42127161
@example(38.852320999999996)
@example(99930.39199999999)
def test_what_is_written_is_valid_and_never_longer(seconds: float) -> None:
    written = parse_timeout(format_timeout(seconds))
    assert 0 < written <= seconds
    assert len(format_timeout(seconds)) <= 9


@given(st.floats(min_value=0.001, max_value=9e7))
def test_little_is_lost(seconds: float) -> None:
    assert parse_timeout(format_timeout(seconds)) >= seconds * 0.999

"""Timestamp and Duration texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.misfit import Misfit
from edge.wire.portable.times import parse_duration, parse_timestamp, print_duration, print_timestamp


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("1969-12-31T23:59:59.5Z", (-1, 500_000_000)),
        ("0001-01-01T00:00:00Z", (-62_135_596_800, 0)),
        ("9999-12-31T23:59:59.999999999Z", (253_402_300_799, 999_999_999)),
        ("2020-02-29T12:00:00+05:30", (1_582_957_800, 0)),
        ("1970-01-01T00:00:00-00:01", (60, 0)),
    ],
)
def test_timestamps(text: str, value: tuple[int, int]) -> None:
    assert parse_timestamp(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01t00:00:00Z",
        "2020-01-01T00:00:00z",
        "2020-13-01T00:00:00Z",
        "2019-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:00:60Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00.0000000001Z",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+00:60",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        " 2020-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z\n",
        "٢020-01-01T00:00:00Z",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    """Q4: `null` and a year below 1 are refused; so is all that RFC 3339 does not write."""
    with pytest.raises(Misfit):
        parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1s", (1, 0)),
        ("1.5s", (1, 500_000_000)),
        ("-0.5s", (0, -500_000_000)),
        ("-1.000000001s", (-1, -1)),
        ("0s", (0, 0)),
        ("315576000000s", (315_576_000_000, 0)),
        ("315576000000.999999999s", (315_576_000_000, 999_999_999)),
        ("-315576000000.999999999s", (-315_576_000_000, -999_999_999)),
    ],
)
def test_durations(text: str, value: tuple[int, int]) -> None:
    """B8: Duration nanos, to the ends of the range; as google.protobuf reads it."""
    assert parse_duration(text) == value
    peer = Parse(f'"{text}"', Duration())
    assert (peer.seconds, peer.nanos) == value
    assert parse_duration(print_duration(*value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "s",
        ".5s",
        "1.s",
        "+1s",
        "1 s",
        "1S",
        "1.0000000001s",
        "315576000001s",
        "-315576000001s",
        "1e3s",
        "1s\n",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(Misfit):
        parse_duration(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_prints_as_the_clock_reads(when: datetime) -> None:
    """parse after print is the identity, and datetime agrees."""
    delta = when - datetime(1970, 1, 1, tzinfo=UTC)
    value = (delta.days * 86_400 + delta.seconds, delta.microseconds * 1000)
    text = print_timestamp(*value)
    assert parse_timestamp(text) == value
    assert datetime.fromisoformat(text) == when


@given(st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6)), st.integers(0, 999))
def test_a_duration_reads_back(delta: timedelta, nanos: int) -> None:
    total = (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1000 + nanos
    sign = -1 if total < 0 else 1
    value = (sign * (abs(total) // 10**9), sign * (abs(total) % 10**9))
    assert parse_duration(print_duration(*value)) == value


@pytest.mark.parametrize(
    ("nanos", "text"), [(0, "1s"), (500_000_000, "1.500s"), (5000, "1.000005s"), (1, "1.000000001s")]
)
def test_digits_come_in_threes(nanos: int, text: str) -> None:
    assert print_duration(1, nanos) == text


@pytest.mark.parametrize("value", [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 10**9)])
def test_timestamps_without_a_text(value: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        print_timestamp(*value)


@pytest.mark.parametrize("value", [(1, -1), (-1, 1), (315_576_000_001, 0), (0, 10**9)])
def test_durations_without_a_text(value: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        print_duration(*value)

"""
Timestamp and Duration as text, both ways, as (seconds, nanos) pairs.

Owns the ranges of timestamp.proto and duration.proto and the exact grammar: upper-case T and Z, up to nine digits after the
point, no leap second. Pure arithmetic on proleptic Gregorian days; Python's datetime has no nanoseconds.
Source: google/protobuf/timestamp.proto, duration.proto, RFC 3339 section 5.6.
"""

from __future__ import annotations

import re
from datetime import date

from edge.wire.portable.misfit import Misfit, shown

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_S = 86_400
_MIN_TIMESTAMP_S = -62_135_596_800  # 0001-01-01T00:00:00Z
_MAX_TIMESTAMP_S = 253_402_300_799  # 9999-12-31T23:59:59Z
_MAX_DURATION_S = 315_576_000_000  # 10,000 years
_NANOS = 1_000_000_000


def parse_timestamp(text: str) -> tuple[int, int]:
    """Seconds since the epoch and nanos of an RFC 3339 time. Raises Misfit."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise Misfit(f"{shown(text)} is not a time like 2017-01-15T01:30:15.01Z")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, offset_hour, offset_minute = match.groups()[6:]
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Misfit(f"{shown(text)} is no date of the calendar") from None
    offset = (int(offset_hour) * 60 + int(offset_minute)) * 60 if sign else 0
    if hour > 23 or minute > 59 or second > 59 or offset >= _DAY_S or (sign and int(offset_minute) > 59):
        raise Misfit(f"{shown(text)} is no time of day")
    seconds = days * _DAY_S + hour * 3600 + minute * 60 + second - (-offset if sign == "-" else offset)
    if not _MIN_TIMESTAMP_S <= seconds <= _MAX_TIMESTAMP_S:
        raise Misfit(f"{shown(text)} is not between the years 1 and 9999")
    return seconds, _nanos(fraction)


def print_timestamp(seconds: int, nanos: int) -> str:
    """The RFC 3339 text, in UTC with 0, 3, 6 or 9 digits after the point. Raises ValueError out of range."""
    if not (_MIN_TIMESTAMP_S <= seconds <= _MAX_TIMESTAMP_S and 0 <= nanos < _NANOS):
        raise ValueError(f"a Timestamp of {seconds} s and {nanos} ns is out of range")
    days, second = divmod(seconds, _DAY_S)
    day = date.fromordinal(days + _EPOCH_DAY)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{day.year:04}-{day.month:02}-{day.day:02}T{clock}{_fraction(nanos)}Z"


def parse_duration(text: str) -> tuple[int, int]:
    """Seconds and nanos, of one sign, of a text like `-1.5s`. Raises Misfit."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Misfit(f"{shown(text)} is not a duration like 1.5s")
    sign, whole, fraction = match.groups()
    seconds, nanos = int(whole), _nanos(fraction)
    # The range is the seconds'; with the last of them nanos may stand, as in protobuf's conformance suite.
    if seconds > _MAX_DURATION_S:
        raise Misfit(f"{shown(text)} is out of a Duration's range")
    return (-seconds, -nanos) if sign else (seconds, nanos)


def print_duration(seconds: int, nanos: int) -> str:
    """The text, with 0, 3, 6 or 9 digits after the point. Raises ValueError out of range or with mixed signs."""
    if abs(seconds) > _MAX_DURATION_S or abs(nanos) >= _NANOS or seconds * nanos < 0:
        raise ValueError(f"a Duration of {seconds} s and {nanos} ns is out of range")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    digits = f"{nanos:09}"
    for length in (3, 6):
        if not int(digits[length:]):
            return f".{digits[:length]}"
    return f".{digits}"

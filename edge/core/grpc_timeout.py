"""
The `grpc-timeout` header: reading one, writing one.

Owns two invariants: what is written never promises the service more time than remains and is never zero, and what is read
is refused unless it is one to eight digits and a unit. Source: PROTOCOL-HTTP2.md (Timeout),
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

from functools import lru_cache

MAX_DIGITS = 8
_MAX_VALUE = 10**MAX_DIGITS - 1

_SECONDS_OF_UNIT = {b"H": 3600.0, b"M": 60.0, b"S": 1.0}
_UNITS_PER_S_OF = {b"m": 1_000, b"u": 1_000_000, b"n": 1_000_000_000}


class TimeoutFormatError(ValueError):
    """A `grpc-timeout` value that the specification does not allow."""


def parse_timeout(text: bytes) -> float:
    """
    The seconds in a `grpc-timeout` value, at most 3.6e11. Raises TimeoutFormatError.

    Zero is accepted, as grpc-go and grpc-core do: the deadline has then passed already.
    """
    digits, unit = text[:-1], text[-1:]
    if not digits.isdigit() or len(digits) > MAX_DIGITS:
        raise TimeoutFormatError("grpc-timeout must be 1 to 8 digits and a unit of H, M, S, m, u or n")
    if unit in _SECONDS_OF_UNIT:
        return int(digits) * _SECONDS_OF_UNIT[unit]
    if unit in _UNITS_PER_S_OF:
        return int(digits) / _UNITS_PER_S_OF[unit]
    raise TimeoutFormatError("the unit of grpc-timeout must be H, M, S, m, u or n")


def format_timeout(remaining_s: float) -> bytes:
    """
    A `grpc-timeout` value for what remains: rounded down, at least 1n.

    Below a second in the finest unit that fits. Above, whole milliseconds: at most a thousandth is lost, and calls with the same time
    limit, told at once, say the same, which has been written before.
    """
    if 1.0 <= remaining_s < 100_000.0:  # the common case first
        value = int(remaining_s * 1_000)
        return _milliseconds(value if value / 1_000 <= remaining_s else value - 1)
    if remaining_s < 0.1:  # 10^8 ns
        return b"%dn" % max(1, _whole(max(remaining_s, 0.0), 1_000_000_000))
    if remaining_s < 1.0:
        return b"%du" % _whole(remaining_s, 1_000_000)
    if remaining_s <= _MAX_VALUE:
        return b"%dS" % int(remaining_s)
    return b"%dH" % min(_MAX_VALUE, int(min(remaining_s, 1e15) // 3600))


@lru_cache(maxsize=1024)
def _milliseconds(value: int) -> bytes:
    return b"%dm" % value


def _whole(remaining_s: float, units_per_s: int) -> int:
    """Whole units in `remaining_s`; the product may round up to the next whole, which is taken back."""
    value = int(remaining_s * units_per_s)
    return value - 1 if value / units_per_s > remaining_s else value

"""
Points in time as text: RFC 3339, UTC, milliseconds.

Owns the format of every timestamp the gateway writes. The text of a second is made once and kept, since a busy gateway
stamps thousands of lines in each.
"""

from __future__ import annotations

from datetime import UTC, datetime


class Timestamps:
    """Formats Unix times; remembers the last second's text."""

    __slots__ = ("_prefix", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._prefix = ""

    def text(self, unix_s: float) -> str:
        """`2026-01-31T23:59:59.250Z` for a Unix time in seconds; fractions below a millisecond are cut off."""
        millis = int(unix_s * 1000)
        second = millis // 1000
        if second != self._second:
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._prefix}.{millis % 1000:03d}Z"

"""Times as RFC 3339 text."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.core.timestamp import Timestamps


def test_utc_with_milliseconds() -> None:
    assert Timestamps().text(1769903999.25) == "2026-01-31T23:59:59.250Z"


def test_the_kept_second_is_replaced_by_the_next_and_by_an_earlier_one() -> None:
    stamps = Timestamps()
    assert [stamps.text(t)[11:] for t in (0.999, 1.0, 0.5)] == ["00:00:00.999Z", "00:00:01.000Z", "00:00:00.500Z"]


@given(st.integers(0, 4_000_000_000_000))
def test_reading_it_back_gives_the_millisecond(millis: int) -> None:
    text = Timestamps().text((millis + 0.5) / 1000)
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == millis

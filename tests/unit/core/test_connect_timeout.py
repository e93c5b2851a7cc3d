"""Connect-Timeout-Ms."""

from __future__ import annotations

import pytest

from edge.core.connect_timeout import parse_timeout_ms


def test_milliseconds_become_seconds() -> None:
    """Up to ten digits."""
    assert parse_timeout_ms(b"1500") == 1.5
    assert parse_timeout_ms(b"0") == 0
    assert parse_timeout_ms(b"9999999999") == 9999999.999


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.5", "1s", " 1", "12345678901", "\u0661"])
def test_anything_else_is_refused(text: str) -> None:
    """A timeout that is guessed at is worse than none."""
    with pytest.raises(ValueError, match="1 to 10 digits"):
        parse_timeout_ms(text.encode())

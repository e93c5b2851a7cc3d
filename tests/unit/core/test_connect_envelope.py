"""The envelope that ends a stream."""

from __future__ import annotations

from edge.core.connect_envelope import end_envelope


def test_the_end_has_its_own_flag() -> None:
    """Flag 2, then the length, then the JSON."""
    assert end_envelope(b"{}") == b"\x02\x00\x00\x00\x02{}"

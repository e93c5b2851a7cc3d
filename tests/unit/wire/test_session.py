"""What the interface itself computes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.wire.session import list_bytes


def test_the_size_of_a_header_list_is_counted_as_in_rfc_9113() -> None:
    assert list_bytes([]) == 0
    assert list_bytes([(b"abc", b"de")]) == 3 + 2 + 32


@given(st.lists(st.tuples(st.binary(), st.binary())), st.lists(st.tuples(st.binary(), st.binary())))
def test_sizes_add_up(one: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]]) -> None:
    assert list_bytes(one + other) == list_bytes(one) + list_bytes(other)

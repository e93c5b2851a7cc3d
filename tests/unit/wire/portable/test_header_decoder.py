"""The remembering decoder against hpack's own."""

from __future__ import annotations

import pytest
from hpack.exceptions import HPACKError, OversizedHeaderListError
from hpack.hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.header_decoder import MAX_BLOCKS, MAX_FIELDS, RememberingDecoder

_fields = st.tuples(
    st.sampled_from([b"a", b"grpc-status", b":status", b"b"]), st.sampled_from([b"0", b"200", b"x" * 90])
)


@given(st.lists(st.one_of(st.lists(_fields, min_size=1, max_size=4), st.sampled_from([0, 64, 200, 4096])), max_size=25))
def test_it_decodes_as_hpack_does(steps: list[list[tuple[bytes, bytes]] | int]) -> None:
    """Over blocks that repeat and a table that changes its size, small sizes and evictions among them."""
    encoder, plain, ours = Encoder(), Decoder(), RememberingDecoder(1 << 16, 100)
    for step in steps:
        if isinstance(step, int):
            if step != encoder.header_table_size:  # hpack's encoder forgets a change that is set twice
                encoder.header_table_size = step
            continue
        block = encoder.encode(step, huffman=False)
        assert list(ours.decode(block)) == list(plain.decode(block, raw=True)) == step


def test_a_repeated_block_is_remembered_until_the_table_changes() -> None:
    ours = RememberingDecoder(1 << 16, 100)
    ours.decode(b"\x40\x01a\x011")
    first = ours.decode(b"\xbe")
    assert ours.decode(b"\xbe") is first
    ours.decode(b"\x40\x01b\x012")
    assert list(ours.decode(b"\xbe")) == [(b"b", b"2")]


def test_a_size_update_that_evicts_is_a_change() -> None:
    ours = RememberingDecoder(1 << 16, 100)
    ours.decode(b"\x40\x01a\x011")
    ours.decode(b"\xbe")
    ours.decode(b"\x20\x3f\xe1\x1f")  # to 0 and back to 4096: the table is empty now
    with pytest.raises(HPACKError):
        ours.decode(b"\xbe")


def test_the_memory_is_bounded() -> None:
    ours = RememberingDecoder(1 << 16, 100)
    for number in range(1000):
        ours.decode(b"\x00\x01a\x04%04d" % number)
    assert len(ours._known) <= MAX_BLOCKS


def test_a_long_list_is_not_remembered() -> None:
    """A field is a byte of the block and 70 here."""
    ours = RememberingDecoder(1 << 16, 100)
    ours.decode(b"\x82" * (MAX_FIELDS + 1))
    assert not ours._known
    ours.decode(b"\x82" * MAX_FIELDS)
    assert ours._known


@pytest.mark.parametrize(
    ("block", "fits"), [(b"\x82" * 100, True), (b"\x82" * 101, False), (b"\x00\x01a\x7f\x81\x06" + b"v" * 1024, False)]
)
def test_fields_are_bounded_by_number_and_by_size(block: bytes, fits: bool) -> None:
    ours = RememberingDecoder(100 * 42, 100) if len(block) < 200 else RememberingDecoder(1024, 100)
    if fits:
        assert len(list(ours.decode(block))) == 100
        return
    with pytest.raises(OversizedHeaderListError):
        ours.decode(block)

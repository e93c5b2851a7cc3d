"""The HPACK encoder against hpack's decoder, over any sequence of blocks and table sizes."""

from __future__ import annotations

from hpack.hpack import Decoder
from hypothesis import given
from hypothesis import strategies as st

from edge.wire.portable.header_encoder import HeaderEncoder

Fields = list[tuple[bytes, bytes]]
HEAD = [(b":method", b"POST"), (b":path", b"/a.B/C"), (b":authority", b"host:1"), (b"te", b"trailers"), (b"x-id", b"1")]

_names = st.sampled_from(
    [b":path", b":authority", b"user-agent", b"te", b"x-a", b"authorization", b":status", b"content-type"]
)
_fields = st.tuples(_names, st.binary(max_size=300))
_blocks = st.lists(st.one_of(st.lists(_fields, max_size=6), st.integers(0, 6000)), max_size=12)


@given(_blocks)
def test_hpack_reads_what_was_meant(steps: list[Fields | int]) -> None:
    """A step is a block, or a SETTINGS_HEADER_TABLE_SIZE of the peer's."""
    encoder, decoder = HeaderEncoder(), Decoder(1 << 20)
    for step in steps:
        if isinstance(step, int):
            encoder.header_table_size = step
            decoder.max_allowed_table_size = encoder.header_table_size
            continue
        assert list(decoder.decode(encoder.encode(step), raw=True)) == step


def test_a_repeated_head_shrinks_to_an_index_each() -> None:
    encoder = HeaderEncoder()
    first, second = encoder.encode(HEAD), encoder.encode(HEAD)
    assert len(second) < 15 < len(first)


def test_what_callers_choose_enters_no_table() -> None:
    """A value no one repeats must not fill the table, and a secret must not enter it (RFC 7541 section 7.1)."""
    encoder, decoder = HeaderEncoder(), Decoder()
    decoder.decode(encoder.encode([(b"x-request-id", b"1"), (b"authorization", b"Bearer s")]))
    assert not decoder.header_table.dynamic_entries
    assert encoder.encode([(b"authorization", b"s")])[0] & 0xF0 == 0x10


def test_nothing_is_evicted() -> None:
    """Once the table is full, new paths are literals and the old ones keep their entries."""
    encoder, decoder = HeaderEncoder(), Decoder()
    paths = [[(b":path", b"/%d" % number + b"x" * 200)] for number in range(40)]
    for path in [*paths, *paths]:
        assert list(decoder.decode(encoder.encode(path), raw=True)) == path
    assert decoder.header_table.dynamic_entries[-1] == paths[0][0]

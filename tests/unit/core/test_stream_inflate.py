"""Inflation of bodies as they come: exact, in bounded steps, strict."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.content_coding import IDENTITY, CodingError, CodingErrorKind
from edge.core.stream_inflate import BrokenCodingError, Inflater, coding_of


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", lambda body: gzip.compress(body, mtime=0)),
    ("gzip", lambda body: b"".join(gzip.compress(body[i : i + 999], mtime=0) for i in range(0, len(body), 999))),
    ("x-gzip", lambda body: gzip.compress(body, mtime=0)),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("zstd", zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress),
    ("zstd", lambda body: zstandard.compress(body[:100]) + zstandard.compress(body[100:])),
]
EACH = pytest.mark.parametrize(
    ("coding", "encode"), ENCODERS, ids=[f"{name}-{index}" for index, (name, _) in enumerate(ENCODERS)]
)
ONE_PART = pytest.mark.parametrize(
    ("coding", "encode"),
    [ENCODERS[index] for index in (0, 3, 4, 5, 6, 7)],
    ids=["gzip", "zlib", "raw deflate", "br", "zstd", "zstd with a checksum"],
)
BOMB_BYTES = 50_000_000
BODIES = st.binary(max_size=300) | st.integers(1, 100_000).map(lambda n: b"ab" * n)


def coded(coding: str, *pieces: bytes) -> list[bytes]:
    """Pieces of a body, each flushed, and the end, by compressors that are not ours."""
    if coding == "br":
        stream = brotli.Compressor()
        return [stream.process(piece) + stream.flush() for piece in pieces] + [stream.finish()]
    if coding == "zstd":
        frame = zstandard.ZstdCompressor().compressobj()
        flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return [frame.compress(piece) + frame.flush(flush) for piece in pieces] + [frame.flush()]
    packed = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    return [packed.compress(piece) + packed.flush(zlib.Z_SYNC_FLUSH) for piece in pieces] + [packed.flush()]


def inflated(coding: str, *pieces: bytes) -> list[bytes]:
    """What each piece gives; the end is an end."""
    inflater = Inflater(coding)
    out = [b"".join(inflater.feed(piece)) for piece in pieces]
    inflater.end()
    return out


@EACH
@settings(max_examples=20)
@given(body=BODIES, places=st.lists(st.integers(0, 300_000), max_size=5))
def test_any_body_in_any_pieces(coding: str, encode: Callable[[bytes], bytes], body: bytes, places: list[int]) -> None:
    data = encode(body)
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    assert b"".join(inflated(coding, *(data[a:b] for a, b in pairwise(ends)))) == body


@EACH
def test_byte_by_byte(coding: str, encode: Callable[[bytes], bytes]) -> None:
    data = encode(b"hello, " * 100)
    assert b"".join(inflated(coding, *(data[i : i + 1] for i in range(len(data))))) == b"hello, " * 100


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_what_was_flushed_is_given_at_once(coding: str) -> None:
    """A message does not wait for the next."""
    assert inflated(coding, *coded(coding, b"one", b"two", b"x" * 300_000)) == [b"one", b"two", b"x" * 300_000, b""]


@ONE_PART
def test_a_body_that_is_cut_short_is_broken(coding: str, encode: Callable[[bytes], bytes]) -> None:
    data = encode(b"hello, " * 50)
    for end in range(1, len(data)):
        with pytest.raises(BrokenCodingError) as broken:
            inflated(coding, data[:end])
        assert broken.value.error.kind is CodingErrorKind.CORRUPT


@EACH
@pytest.mark.parametrize("split", [False, True])
def test_what_follows_the_end_breaks_the_body(coding: str, encode: Callable[[bytes], bytes], split: bool) -> None:
    """Two readers could understand it differently."""
    data = encode(b"hello")
    with pytest.raises(BrokenCodingError):
        inflated(coding, data, b"junk") if split else inflated(coding, data + b"junk")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_nothing_is_nothing_in_every_coding(coding: str) -> None:
    """Some clients name a coding and send no body."""
    assert inflated(coding) == []
    assert inflated(coding, b"") == [b""]


@ONE_PART
def test_a_bomb_goes_off_in_small_steps(coding: str, encode: Callable[[bytes], bytes]) -> None:
    """Whoever takes them decides when to stop; what was not taken costs nothing."""
    bomb = encode(bytes(BOMB_BYTES))
    inflater = Inflater(coding)
    tracemalloc.start()
    try:
        sizes = [len(step) for step in inflater.feed(bomb)]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) == BOMB_BYTES
    assert max(sizes) <= 256 * 1024
    assert peak_bytes < 4 * 1024 * 1024
    first = next(iter(Inflater(coding).feed(bomb)))
    assert len(first) <= 256 * 1024


def test_empty_members_are_not_taken_without_end() -> None:
    """Each costs time; those with something in them are as many as there are."""
    empty, full = gzip.compress(b"", mtime=0), gzip.compress(b"x", mtime=0)
    assert b"".join(inflated("gzip", full * 1000)) == b"x" * 1000
    assert b"".join(inflated("gzip", (empty * 60 + full) * 3)) == b"xxx"
    with pytest.raises(BrokenCodingError):
        inflated("gzip", empty * 100)


def test_a_window_that_no_client_needs_is_refused() -> None:
    """RFC 9659: 8 MiB are enough."""
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    frame = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(BrokenCodingError):
        inflated("zstd", frame.compress(b"x" * 1000) + frame.flush())


@pytest.mark.parametrize(
    ("field", "coding"),
    [("", IDENTITY), ("identity", IDENTITY), (" GZIP ", "gzip"), ("identity, br", "br"), ("zstd,", "zstd")],
)
def test_the_one_coding_of_a_field(field: str, coding: str) -> None:
    assert coding_of(field) == coding


@pytest.mark.parametrize("field", ["sponge", "gzip, br", "gzip, gzip", "identity, lzma"])
def test_unknown_and_layered_codings_are_not_taken(field: str) -> None:
    refused = coding_of(field)
    assert isinstance(refused, CodingError)
    assert refused.kind is CodingErrorKind.UNKNOWN

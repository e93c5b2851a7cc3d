"""Inflation is exact, bounded and strict; compression follows the client's weights."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.content_coding import CodingError, CodingErrorKind, compress, compressible, inflate, negotiate
from tests.unit.keeping import FEW, LONG, kept_bytes


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


ENCODERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress],
    "x-gzip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate],
    "br": [brotli.compress],
    "zstd": [zstandard.compress, zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress],
}
CASES = [(name, encode) for name, encoders in ENCODERS.items() for encode in encoders]
LIMIT = 1_000_000


def kind(result: bytes | CodingError) -> CodingErrorKind | bytes:
    return result.kind if isinstance(result, CodingError) else result


@pytest.mark.parametrize(("name", "encode"), CASES)
@settings(max_examples=30, deadline=None)
@given(body=st.binary(min_size=0, max_size=300) | st.integers(1, 400_000).map(lambda n: b"ab" * n))
def test_inflate_undoes_every_coding(name: str, encode: Callable[[bytes], bytes], body: bytes) -> None:
    assert inflate(name, encode(body), LIMIT) == body


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_the_limit_is_exact(name: str, encode: Callable[[bytes], bytes]) -> None:
    assert inflate(name, encode(1000 * b"x"), 1000) == 1000 * b"x"
    assert kind(inflate(name, encode(1001 * b"x"), 1000)) is CodingErrorKind.TOO_LARGE
    assert kind(inflate(name, encode(b"x"), 0)) is CodingErrorKind.TOO_LARGE


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_a_truncated_stream_is_refused(name: str, encode: Callable[[bytes], bytes]) -> None:
    coded = encode(b"hello, " * 50)
    for end in range(1, len(coded)):
        assert kind(inflate(name, coded[:end], LIMIT)) is CodingErrorKind.CORRUPT


@pytest.mark.parametrize(("name", "encode"), CASES)
@pytest.mark.parametrize("garbage", [b"\0", b"xx", b"garbage", 100_000 * b"g"])
def test_bytes_after_the_end_are_refused(name: str, encode: Callable[[bytes], bytes], garbage: bytes) -> None:
    assert kind(inflate(name, encode(b"hello") + garbage, LIMIT)) is CodingErrorKind.CORRUPT


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=50, deadline=None)
@given(body=st.binary(min_size=1, max_size=60))
def test_any_bytes_are_inflated_or_refused(name: str, body: bytes) -> None:
    """Never an exception."""
    result = inflate(name, body, LIMIT)
    assert isinstance(result, bytes) or result.description


def zstd_rle_bomb(size: int) -> bytes:
    """A frame of RLE blocks: 4 bytes for every 128 KiB."""
    blocks, block = size // 131072, 131072
    header = struct.pack("<IBB", 0xFD2FB528, 0x00, 0x58)  # no content size, 2 MiB window
    body = b"".join((block << 3 | 1 << 1 | (n == blocks - 1)).to_bytes(3, "little") + b"x" for n in range(blocks))
    return header + body


BOMBS = {
    "gzip": gzip.compress(bytes(50_000_000), 9),
    "deflate": zlib.compress(bytes(50_000_000), 9),
    "br": brotli.compress(bytes(50_000_000), quality=5),
    "zstd": zstd_rle_bomb(200 << 20),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_the_limit_and_a_step(name: str) -> None:
    tracemalloc.start()
    try:
        result = inflate(name, BOMBS[name], LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kind(result) is CodingErrorKind.TOO_LARGE
    assert peak < LIMIT + 1_000_000


def test_the_rle_frame_is_a_valid_one() -> None:
    """Otherwise the bomb test above would test nothing."""
    assert inflate("zstd", zstd_rle_bomb(262144), LIMIT) == 262144 * b"x"


def test_members_and_frames() -> None:
    """Several are one body, too many are an attack."""
    assert inflate("gzip", gzip.compress(b"a") + gzip.compress(b"b"), 10) == b"ab"
    assert inflate("zstd", zstandard.compress(b"a") + zstandard.compress(b"b"), 10) == b"ab"
    assert kind(inflate("gzip", 1000 * gzip.compress(b""), 10)) is CodingErrorKind.CORRUPT
    assert kind(inflate("zstd", 1000 * zstandard.compress(b""), 10)) is CodingErrorKind.CORRUPT
    assert kind(inflate("gzip", 20 * gzip.compress(b"x"), 10)) is CodingErrorKind.TOO_LARGE
    assert kind(inflate("zstd", 20 * zstandard.compress(b"x"), 10)) is CodingErrorKind.TOO_LARGE


def test_layers() -> None:
    """Undone from the last applied to the first; the limit holds for each."""
    assert inflate("gzip, br", brotli.compress(gzip.compress(b"hi")), LIMIT) == b"hi"
    assert inflate(" GZIP ,identity,", gzip.compress(b"hi"), LIMIT) == b"hi"
    assert inflate("identity", b"hi", LIMIT) == b"hi"
    assert kind(inflate("gzip, gzip, gzip", b"x", LIMIT)) is CodingErrorKind.UNKNOWN
    assert kind(inflate("gzip, gzip", gzip.compress(BOMBS["gzip"]), 100)) is CodingErrorKind.TOO_LARGE


@pytest.mark.parametrize("codings", ["compress", "gzip, foo", "*", "gzip;q=1"])
def test_unknown_codings(codings: str) -> None:
    assert kind(inflate(codings, b"x", LIMIT)) is CodingErrorKind.UNKNOWN


def test_an_empty_body_is_empty_in_every_coding() -> None:
    assert inflate("gzip", b"", LIMIT) == b""


JSON = "application/json"


@pytest.mark.parametrize(
    ("accept_encoding", "size", "content_type", "expected"),
    [
        ("", 5000, JSON, "identity"),
        ("gzip, deflate, br, zstd", 5000, JSON, "zstd"),
        ("gzip, br", 5000, JSON, "br"),
        ("gzip", 5000, JSON, "gzip"),
        ("x-gzip", 5000, JSON, "gzip"),
        ("gzip;q=1, br;q=0.5", 5000, JSON, "gzip"),
        ("*", 5000, JSON, "zstd"),
        ("*, zstd;q=0", 5000, JSON, "br"),
        ("deflate", 5000, JSON, "identity"),
        ("identity", 5000, JSON, "identity"),
        ("identity, gzip;q=0.5", 5000, JSON, "identity"),
        ("gzip, identity;q=0.5", 5000, JSON, "gzip"),
        ("gzip", 100, JSON, "identity"),
        ("gzip", 5000, "image/png", "identity"),
        ("gzip", 5000, "application/problem+json; charset=utf-8", "gzip"),
        ("gzip, identity;q=0", 100, JSON, "gzip"),
        ("gzip, *;q=0", 100, "image/png", "gzip"),
        ("identity;q=0", 5000, JSON, None),
        ("*;q=0", 100, JSON, None),
        ("*;q=0, identity", 5000, JSON, "identity"),
        ("gzip;q=0", 5000, JSON, "identity"),
    ],
)
def test_negotiate(accept_encoding: str, size: int, content_type: str, expected: str | None) -> None:
    assert negotiate(accept_encoding, size, content_type) == expected


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip", "identity"])
@given(body=st.binary(max_size=2000))
def test_what_we_compress_we_can_inflate(coding: str, body: bytes) -> None:
    assert inflate(coding, compress(coding, body), 2000) == body


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/plain", True),
        ("Application/JSON;x", True),
        ("image/svg+xml", True),
        ("video/mp4", False),
        ("", False),
    ],
)
def test_compressible(content_type: str, expected: bool) -> None:
    assert compressible(content_type) is expected


def test_long_types_are_not_remembered() -> None:
    """A service may say what some client said to it; they are looked at all the same."""

    def say(number: int) -> None:
        assert compressible(f"text/x{number}" + "a" * LONG)

    assert kept_bytes(say) < FEW

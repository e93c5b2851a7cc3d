"""Where Zstandard's blocks end, held against what the library makes of them."""

from __future__ import annotations

import os
import random

import pytest
import zstandard

from edge.core.zstd_blocks import ZstdBlocks, ZstdFormatError

SKIPPABLE = (0x184D2A5F).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"hello"
BODY = os.urandom(150_000) + bytes(300_000) + b"abc" * 100_000


def streamed(body: bytes) -> bytes:
    """A frame whose size its header does not tell."""
    frame = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return frame.compress(body) + frame.flush()


STREAMS = {
    "one frame": zstandard.compress(BODY),
    "without its size": streamed(BODY),
    "with a checksum": zstandard.ZstdCompressor(write_checksum=True).compress(BODY),
    "short": zstandard.compress(b"x"),
    "empty": zstandard.compress(b""),
    "skippable": SKIPPABLE,
    "several": streamed(b"x") + SKIPPABLE + zstandard.compress(BODY) + streamed(b""),
}


def cuts(blocks: ZstdBlocks, data: bytes) -> list[int]:
    ends, position = [], 0
    while position < len(data):
        position = blocks.end(data, position)
        ends.append(position)
    return ends


@pytest.mark.parametrize("name", STREAMS)
def test_a_block_inflates_to_no_more_than_128_kib(name: str) -> None:
    """And all of them to the whole; frames end where the library says that they do."""
    data = STREAMS[name]
    blocks = ZstdBlocks()
    frame, start, out = zstandard.ZstdDecompressor().decompressobj(), 0, b""
    for end in cuts(ZstdBlocks(), data):
        assert blocks.end(data, start) == end
        got = frame.decompress(data[start:end])
        assert len(got) <= 128 * 1024
        assert blocks.between == frame.eof
        if frame.eof:
            assert frame.unused_data == b""
            frame = zstandard.ZstdDecompressor().decompressobj()
        out, start = out + got, end
    assert blocks.between
    assert out == zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()


@pytest.mark.parametrize("name", STREAMS)
def test_it_does_not_matter_how_the_data_is_split(name: str) -> None:
    """Ends of pieces come on top of ends of blocks, nothing else."""
    data, random_ = STREAMS[name], random.Random(1)
    whole = set(cuts(ZstdBlocks(), data))
    for largest in (1, 5, 1000):
        if largest == 1 and len(data) > 10_000:
            continue
        blocks, found, start = ZstdBlocks(), set(), 0
        while start < len(data):
            piece = data[start : start + random_.randint(1, largest)]
            found |= {start + end for end in cuts(blocks, piece)}
            start += len(piece)
        assert blocks.between
        assert whole <= found


def test_a_stream_that_is_cut_is_within_a_frame() -> None:
    data = STREAMS["with a checksum"]
    for end in (1, 3, 4, 5, 6, 20, len(data) - 4, len(data) - 1):
        blocks = ZstdBlocks()
        cuts(blocks, data[:end])
        assert not blocks.between


@pytest.mark.parametrize("data", [b"none", b"\x28\xb5\x2f\xfe", STREAMS["short"] + b"junk"])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ZstdFormatError):
        cuts(ZstdBlocks(), data)

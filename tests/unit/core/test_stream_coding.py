"""Content codings that are made piece by piece, undone by what is not ours."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from edge.core.content_coding import PREFERENCE as OF_WHOLE_ANSWERS
from edge.core.stream_coding import PREFERENCE, stream_coder


def brotli_reader() -> Callable[[bytes], bytes]:
    """The binding gives no more than one of its blocks for a call, and the rest when asked again."""
    stream = brotli.Decompressor()
    return lambda data: stream.process(data) + b"".join(iter(lambda: stream.process(b""), b""))


READERS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31).decompress,
    "br": brotli_reader,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}


@pytest.mark.parametrize("coding", PREFERENCE)
def test_each_piece_can_be_read_when_it_has_come(coding: str) -> None:
    """Whatever its size; what repeats costs little."""
    coder, read = stream_coder(coding), READERS[coding]()
    line = b'{"title": "a title", "author": "an author", "more": "of the same"}\n'
    for data in (b"1", b"", os.urandom(100_000), line, line):
        piece = coder.piece(data)
        assert read(piece) == data
    assert len(piece) < len(line)
    assert read(coder.end()) == b""


@pytest.mark.parametrize("coding", PREFERENCE)
def test_the_end_is_one_to_strict_readers(coding: str) -> None:
    """Of a body of nothing, too."""
    strict = {
        "gzip": lambda body: zlib.decompress(body, wbits=31),
        "br": brotli.decompress,
        "zstd": lambda body: zstandard.ZstdDecompressor().stream_reader(body).read(),
    }[coding]
    coder = stream_coder(coding)
    assert strict(coder.piece(b"hello") + coder.end()) == b"hello"
    assert strict(stream_coder(coding).end()) == b""


def test_streams_have_all_codings_that_whole_answers_have() -> None:
    """`negotiate` may give any of them."""
    assert set(PREFERENCE) == set(OF_WHOLE_ANSWERS)

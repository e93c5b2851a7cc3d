"""Compression of single messages."""

from __future__ import annotations

import gzip
import os

import pytest

from edge.core.grpc_frame import FrameDecoder, Inflated, encode_frame
from edge.core.message_coding import frame, is_compressed, takes_gzip

LONG = b"compressible " * 1000
PACKED = gzip.compress(b"hello", mtime=0)


@pytest.mark.parametrize("accepted", ["gzip", "identity,deflate,gzip", " gzip ,identity"])
def test_gzip_is_found_in_a_list(accepted: str) -> None:
    assert takes_gzip(accepted)


@pytest.mark.parametrize("accepted", ["", "identity", "xgzip", "gzip2, deflate"])
def test_what_is_not_gzip_is_not_taken_for_it(accepted: str) -> None:
    assert not takes_gzip(accepted)


def test_a_long_message_is_compressed_and_says_so() -> None:
    """With gzip, which any client of the protocol can undo."""
    (found,) = FrameDecoder(10**6).feed(framed := frame(LONG, gzip=True))
    assert found.compressed
    assert is_compressed(framed)
    assert gzip.decompress(found.payload) == LONG
    assert len(found.payload) < len(LONG) / 10


@pytest.mark.parametrize("message", [b"", b"x" * 1023, os.urandom(5000)], ids=["empty", "short", "random"])
def test_what_gains_nothing_is_sent_as_it_is(message: bytes) -> None:
    """Too short to be worth it, or no smaller for it."""
    assert frame(message, gzip=True) == encode_frame(message)
    assert not is_compressed(frame(message, gzip=True))


def test_nothing_is_compressed_for_a_client_that_does_not_take_it() -> None:
    """Not even what came so."""
    assert frame(LONG, gzip=False) == encode_frame(LONG)
    assert frame(Inflated.of(PACKED, 100), gzip=False) == encode_frame(b"hello")


def test_a_message_the_service_compressed_leaves_as_it_came() -> None:
    """Byte for byte, however short it is."""
    assert frame(Inflated.of(PACKED, 100), gzip=True) == encode_frame(PACKED, compressed=True)

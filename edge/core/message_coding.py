"""
Compression of single messages in answers: gRPC's, and those of Connect's streams.

Owns which messages leave compressed: with gzip alone, which every client that asks for compression has; those that gain by it; and one
that the service compressed leaves as it came. In gRPC itself only those do: every grpcio client says that it takes gzip, whether or not
its link is worth the CPU, and services that think so compress themselves. Source: https://github.com/grpc/grpc/blob/master/doc/compression.md,
https://connectrpc.com/docs/protocol (Streaming RPCs).
"""

from __future__ import annotations

from functools import lru_cache

from edge.core.content_coding import MIN_COMPRESSED_BYTES, compress
from edge.core.grpc_frame import Inflated, encode_frame

GZIP = "gzip"


def takes_gzip(accepted: str) -> bool:
    """Whether a list of message codings (grpc-accept-encoding, connect-accept-encoding) has gzip; it has no weights."""
    return GZIP in accepted and (_takes_gzip if len(accepted) <= _MAX_CHARS else _takes_gzip.__wrapped__)(accepted)


_MAX_CHARS = 128
"""Of a list that is remembered: what a client can make us hold is small."""


@lru_cache(maxsize=64)  # clients of one library say the same; one that fills it makes others be read again
def _takes_gzip(accepted: str) -> bool:
    return any(name.strip() == GZIP for name in accepted.split(","))


def frame(message: bytes, *, gzip: bool, packs: bool = True) -> bytes:
    """
    A message in its frame; `gzip`: the client takes it compressed, and has been told of the coding.

    Without `packs`, only what came compressed leaves so.
    """
    if not gzip:
        return encode_frame(message)
    if isinstance(message, Inflated):
        return encode_frame(message.gzipped, compressed=True)
    if not packs or len(message) < MIN_COMPRESSED_BYTES:
        return encode_frame(message)
    packed = compress(GZIP, message)
    return encode_frame(packed, compressed=True) if len(packed) < len(message) else encode_frame(message)


def is_compressed(framed: bytes) -> bool:
    """Whether `frame` has compressed it."""
    return framed[:1] == b"\1"

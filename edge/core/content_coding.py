"""
Content codings: bounded inflation of request bodies, negotiated compression of answers.

Owns the bound: whatever a body claims, inflating it costs at most the limit and one step (128 KiB, brotli's block) of memory,
and ends with the first byte past the limit. A stream that is truncated or followed by garbage is refused: two readers could
understand it differently.
Source: RFC 9110 8.4 and 12.5.3, RFC 1950-1952, RFC 7932, RFC 8878, RFC 9659 (zstd windows of at most 8 MiB).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

import brotli
import zstandard

from edge.core.accept import weighted

IDENTITY = "identity"
MIN_COMPRESSED_BYTES = 1024
"""Below this an answer fits one packet compressed or not: the CPU is not worth it."""

_MAX_CODINGS = 2  # more layers only multiply what a bomb gains
_MAX_MEMBERS = 64  # of a gzip or zstd stream; members without content cost time and give nothing
_STEP_BYTES = 128 * 1024
_INPUT_BYTES = 16 * 1024  # zlib copies what it has not used yet: small pieces keep that linear
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024


class CodingErrorKind(Enum):
    """What is wrong with a coded body."""

    UNKNOWN = auto()
    CORRUPT = auto()
    TOO_LARGE = auto()


class CodingError(NamedTuple):
    """A body that cannot be inflated; `description` may be shown to the client."""

    kind: CodingErrorKind
    description: str


class _Corrupt(Exception):
    """The stream is not what its coding says."""


class _TooLarge(Exception):
    """One byte more than allowed was inflated."""


def inflate(codings: str, body: bytes, max_bytes: int) -> bytes | CodingError:
    """
    The body without its content codings (the value of Content-Encoding), at most `max_bytes` at every layer.

    An empty body is empty in every coding: some clients name one and send nothing.
    """
    names = names_of(codings)
    unknown = next((name for name in names if name not in _INFLATERS), None)
    if unknown is not None:
        return CodingError(CodingErrorKind.UNKNOWN, f"content coding {unknown[:32]!r} is not supported")
    if len(names) > _MAX_CODINGS:
        return CodingError(CodingErrorKind.UNKNOWN, f"more than {_MAX_CODINGS} content codings")
    for name in reversed(names) if body else ():
        try:
            body = _INFLATERS[name](body, max_bytes)
        except _TooLarge:
            return CodingError(CodingErrorKind.TOO_LARGE, f"the inflated request body is larger than {max_bytes} bytes")
        except _Corrupt as error:
            return CodingError(CodingErrorKind.CORRUPT, f"the request body is not valid {name}: {error}")
    return body


def names_of(codings: str) -> list[str]:
    """The codings that a Content-Encoding field names, in order of application; identity is none."""
    return [name for part in codings.lower().split(",") if (name := part.strip()) not in ("", IDENTITY)]


def is_zlib(body: bytes) -> bool:
    """
    Whether `deflate` is in the zlib format, or raw as some clients send it (RFC 9110 8.4.1.2), by its first two bytes.

    No encoder begins raw deflate with a byte whose low half is 8: that is a stored block with its padding set.
    """
    return body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0


def _gzip(body: bytes, max_bytes: int) -> bytes:
    """One or more members (RFC 1952 2.2); each carries its checksum, which zlib checks."""
    out = bytearray()
    for _ in range(_MAX_MEMBERS):
        body = _zlib_stream(zlib.decompressobj(wbits=31), body, out, max_bytes)
        if not body:
            return bytes(out)
    raise _Corrupt("too many members")


def _deflate(body: bytes, max_bytes: int) -> bytes:
    out = bytearray()
    if _zlib_stream(zlib.decompressobj(wbits=15 if is_zlib(body) else -15), body, out, max_bytes):
        raise _Corrupt("bytes after its end")
    return bytes(out)


def _zlib_stream(stream: zlib._Decompress, body: bytes, out: bytearray, max_bytes: int) -> bytes:
    """Inflate one stream into `out`; what follows it in `body`."""
    view = memoryview(body)
    for start in range(0, len(body), _INPUT_BYTES):
        piece: bytes | memoryview = view[start : start + _INPUT_BYTES]
        while True:
            try:
                got = stream.decompress(piece, min(_STEP_BYTES, max_bytes + 1 - len(out)))
            except zlib.error as error:
                raise _Corrupt("damaged data") from error
            _append(out, got, max_bytes)
            if stream.eof:
                return stream.unused_data + bytes(view[start + _INPUT_BYTES :])
            piece = stream.unconsumed_tail
            if not piece and not got:
                break
    raise _Corrupt("it is cut short")


def _append(out: bytearray, got: bytes, max_bytes: int) -> None:
    out += got
    if len(out) > max_bytes:
        raise _TooLarge


def _brotli(body: bytes, max_bytes: int) -> bytes:
    out = bytearray()
    stream = brotli.Decompressor()
    piece = body
    try:
        while not stream.is_finished():
            got = stream.process(piece, output_buffer_limit=_STEP_BYTES)
            piece = b""
            _append(out, got, max_bytes)
            if not got and stream.can_accept_more_data():
                break
    except brotli.error as error:
        raise _Corrupt("damaged data, or bytes after its end") from error
    if not stream.is_finished():
        raise _Corrupt("it is cut short")
    return bytes(out)


def _zstd(body: bytes, max_bytes: int) -> bytes:
    """
    One or more frames.

    The binding can bound its output or tell where a frame ended, not both: a first pass counts, a second one keeps.
    """
    out = bytearray()
    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    try:
        for _ in range(_MAX_MEMBERS):
            _require_small(stream, body, max_bytes - len(out))
            frame = stream.decompressobj()
            out += frame.decompress(body)
            if not frame.eof:
                raise _Corrupt("it is cut short")
            body = frame.unused_data
            if not body:
                return bytes(out)
    except zstandard.ZstdError as error:
        raise _Corrupt("damaged data, or a window larger than 8 MiB") from error
    raise _Corrupt("too many frames")


def _require_small(stream: zstandard.ZstdDecompressor, body: bytes, max_bytes: int) -> None:
    size = 0
    with stream.stream_reader(body) as reader:
        while got := reader.read(_STEP_BYTES):
            size += len(got)
            if size > max_bytes:
                raise _TooLarge


_INFLATERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}

_ZSTD_COMPRESSOR = zstandard.ZstdCompressor(level=1)

# In our order of preference where the client has none; the levels are those past which a byte saved costs most. A JSON list of
# 14 KiB on one core: zstd 1 takes 33 us and leaves 2.9 kB, br 2 71 us and 2.8, gzip 3 71 us and 3.4 (br 4: 154 us for 2.7).
_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": _ZSTD_COMPRESSOR.compress,
    "br": lambda body: brotli.compress(body, quality=2),
    "gzip": lambda body: zlib.compress(body, level=3, wbits=31),
}
PREFERENCE = tuple(_COMPRESSORS)
"""Ours between codings a client wants equally, for answers that are whole."""

_COMPRESSIBLE = (
    "text/", "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/xml",
    "application/javascript", "application/proto",
)  # fmt: skip
_COMPRESSIBLE_SUFFIXES = ("+json", "+xml", "+yaml")


_MAX_TYPE_CHARS = 128
"""Of a content type that is remembered: an HttpBody's may be what some client made of it."""


def compressible(content_type: str) -> bool:
    """Text in one of its forms, or protobuf; images, archives and the like are compressed already."""
    known = _compressible if len(content_type) <= _MAX_TYPE_CHARS else _compressible.__wrapped__
    return known(content_type)


@lru_cache(maxsize=64)  # few types are served; what an HttpBody names beyond those is looked at each time
def _compressible(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith(_COMPRESSIBLE) or kind.endswith(_COMPRESSIBLE_SUFFIXES)


def negotiate(accept_encoding: str, size: int, content_type: str, preference: Iterable[str] = PREFERENCE) -> str | None:
    """
    The coding for an answer of `size` bytes: `zstd`, `br`, `gzip` or `identity`; None when the client refuses all of these.

    The client's weights decide, `preference` only between equals. A small or already compressed answer stays as it is, unless the
    client refuses that (`identity;q=0`).
    """
    if not accept_encoding:
        return IDENTITY
    weights = {member.value: member.q for member in weighted(accept_encoding)}
    rest = weights.get("*", 0.0)
    # RFC 9110 12.5.3: identity is acceptable unless excluded by name, or by `*` without being named.
    identity = weights.get(IDENTITY, rest if "*" in weights else 1.0)
    if identity > 0 and (size < MIN_COMPRESSED_BYTES or not compressible(content_type)):
        return IDENTITY
    best, chosen = 0.0, None
    for name in preference:
        q = weights.get(name, weights.get("x-gzip", rest) if name == "gzip" else rest)
        if q > best:
            best, chosen = q, name
    if chosen is None or (IDENTITY in weights and identity > best):
        return IDENTITY if identity > 0 else chosen
    return chosen


def compress(coding: str, body: bytes) -> bytes:
    """`body` in a coding that `negotiate` gave."""
    return body if coding == IDENTITY else _COMPRESSORS[coding](body)

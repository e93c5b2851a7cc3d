"""
Inflation of request bodies while they come.

Owns the bound on one step: whatever a piece of a body claims to hold, inflating it gives at most 128 KiB at a time (of brotli one of its
blocks more), and nothing goes on before that was taken; some steps give nothing, so that whoever takes them can let others work in between.
A body that is cut short, or followed by something else, is broken. What the whole comes to is not bounded here: a stream has no end.
Source: RFC 9110 8.4, RFC 1950-1952, RFC 7932, RFC 8878, RFC 9659 (zstd windows of at most 8 MiB).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
import zstandard

from edge.core.content_coding import IDENTITY, CodingError, CodingErrorKind, is_zlib, names_of
from edge.core.zstd_blocks import ZstdBlocks, ZstdFormatError

_STEP_BYTES = 128 * 1024
_INPUT_BYTES = 16 * 1024  # zlib copies what it has not used yet: small pieces keep that linear
_MAX_EMPTY_MEMBERS = 64  # in a row, of gzip: each costs time and gives nothing
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
_ZLIB_HEADER_BYTES = 2

WIDE = frozenset(("br", "zstd"))
"""The codings whose window the client chooses: one stream may hold 16 MiB for as long as it likes. The others hold 32 KiB."""


class BrokenCodingError(Exception):
    """The body is not what its coding says; `error` may be shown to the client."""

    def __init__(self, error: CodingError) -> None:
        super().__init__(error.description)
        self.error = error


class _Corrupt(Exception):
    """The stream is not what its coding says."""


class _Stream(Protocol):
    """One coding's state."""

    @property
    def whole(self) -> bool:
        """The stream may end here."""

    def steps(self, data: bytes) -> Iterator[bytes]:
        """What `data` inflates to. Raises _Corrupt."""


class _Gzip:
    """Members, one after the other (RFC 1952 2.2)."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=_GZIP_BITS)
        self._given = False  # the member has given something
        self._empty = 0
        self.whole = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        while data:
            self.whole = False
            data, got = _inflated(self._stream, data)
            self._given = self._given or bool(got)
            yield got
            if self._stream.eof:
                data = self._stream.unused_data
                self._empty = 0 if self._given else self._empty + 1
                if self._empty > _MAX_EMPTY_MEMBERS:
                    raise _Corrupt("too many empty members")
                self._stream, self._given, self.whole = zlib.decompressobj(wbits=_GZIP_BITS), False, True
            elif not data and len(got) == _STEP_BYTES:
                yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        """What zlib holds back of data it has taken in."""
        while got := _inflated(self._stream, b"")[1]:
            yield got


class _Deflate:
    """The zlib format, or raw deflate (`is_zlib`)."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._seen = b""
        self.whole = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._seen = data = self._seen + data
            if len(data) < _ZLIB_HEADER_BYTES:
                return
            self._stream = zlib.decompressobj(wbits=_ZLIB_BITS if is_zlib(data) else _RAW_BITS)
        while data:
            if self.whole:
                raise _Corrupt("bytes after its end")
            data, got = _inflated(self._stream, data)
            yield got
            while not data and len(got) == _STEP_BYTES:
                data, got = _inflated(self._stream, b"")
                yield got
            self.whole = self._stream.eof
            data = self._stream.unused_data or data


def _inflated(stream: zlib._Decompress, data: bytes) -> tuple[bytes, bytes]:
    """One step: what is left of `data`, and what was inflated."""
    try:
        got = stream.decompress(data, _STEP_BYTES)
    except zlib.error as error:
        raise _Corrupt("damaged data") from error
    return stream.unconsumed_tail, got


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.whole = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        try:
            while data or not self._stream.is_finished():
                got = self._stream.process(data, output_buffer_limit=_STEP_BYTES)
                data = b""
                yield got
                if not got and self._stream.can_accept_more_data():
                    break
        except brotli.error as error:
            raise _Corrupt("damaged data, or bytes after its end") from error
        self.whole = self._stream.is_finished()


class _Zstd:
    """Frames, block by block: a block is what can be inflated without giving more than a step."""

    def __init__(self) -> None:
        self._blocks = ZstdBlocks()
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self.whole = False

    def steps(self, data: bytes) -> Iterator[bytes]:
        start, size = 0, len(data)
        try:
            while start < size:
                if self._frame is None:
                    self._frame = self._decompressor.decompressobj(write_size=_STEP_BYTES // 4)
                end = self._blocks.end(data, start)
                yield self._frame.decompress(data[start:end])
                start = end
                self.whole = self._blocks.between
                if self.whole:
                    if not self._frame.eof:
                        raise _Corrupt("damaged data")
                    self._frame = None
        except (zstandard.ZstdError, ZstdFormatError) as error:
            raise _Corrupt("damaged data, or a window larger than 8 MiB") from error


_STREAMS: dict[str, Callable[[], _Stream]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


def coding_of(field: str) -> str | CodingError:
    """The one coding that a Content-Encoding field names, IDENTITY for none. Layers are for bodies that are whole."""
    names = names_of(field)
    if len(names) > 1:
        return CodingError(CodingErrorKind.UNKNOWN, "a streamed body is taken in one content coding at most")
    if names and names[0] not in _STREAMS:
        return CodingError(CodingErrorKind.UNKNOWN, f"content coding {names[0][:32]!r} is not supported")
    return names[0] if names else IDENTITY


class Inflater:
    """One body in the coding that `coding_of` gave. Both methods raise BrokenCodingError."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream = _STREAMS[coding]()
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` inflates to, in steps, some of them empty; all are to be taken before the next piece."""
        self._fed = self._fed or bool(data)
        try:
            for start in range(0, len(data), _INPUT_BYTES):
                yield from self._stream.steps(data[start : start + _INPUT_BYTES])
        except _Corrupt as error:
            raise self._broken(str(error)) from error

    def end(self) -> None:
        """The body is over. An empty one is empty in every coding: some clients name one and send nothing."""
        if self._fed and not self._stream.whole:
            raise self._broken("it is cut short")

    def _broken(self, why: str) -> BrokenCodingError:
        text = f"the request body is not valid {self._coding}: {why}"
        return BrokenCodingError(CodingError(CodingErrorKind.CORRUPT, text))

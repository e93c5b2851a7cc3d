"""
Where the parts of an HTTP/1.1 message end, in data that is split anywhere.

Owns the boundaries of what has no length: a head or a trailer section ends with its blank line, a chunked body with the section after
its last chunk. Content is stepped over by its chunk's size, never searched: a body made of blank lines costs no more than any other.
Source: RFC 9112 sections 2.1 and 7.1.
"""

from __future__ import annotations

import re

_END = b"\r\n\r\n"
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}(?![0-9A-Fa-f])")
_SIZE_LINE_BYTES = 17  # a size and the byte after it: what follows on the line changes nothing


class ChunkSizeError(ValueError):
    """A chunk does not begin with its size in hexadecimal digits, sixteen at most."""


class BlankLine:
    """Finds the CRLF CRLF that ends a section; `seen` is what may be its beginning."""

    __slots__ = ("_seen",)

    def __init__(self, seen: bytes = b"") -> None:
        self._seen = seen

    def end(self, data: bytes, offset: int) -> int:
        """Just past it, or the end of `data` when it has not come."""
        if self._seen:
            found = (self._seen + data[offset : offset + 3]).find(_END)
            if found >= 0:
                end = offset + found + 4 - len(self._seen)
                self._seen = b""
                return end
        found = data.find(_END, offset)
        if found >= 0:
            self._seen = b""
            return found + 4
        self._seen = (self._seen + data[max(offset, len(data) - 3) :])[-3:]
        return len(data)


class ChunkedBody:
    """Finds the end of one chunked body, trailers included."""

    __slots__ = ("_left_bytes", "_line", "_trailers", "trailer_bytes")

    def __init__(self) -> None:
        self._left_bytes = 0  # of the current chunk, with the line break after its content
        self._line = b""  # the beginning of a size line whose end has not come
        self._trailers: BlankLine | None = None
        self.trailer_bytes = 0  # of the trailer section, as far as it has come

    def end(self, data: bytes, offset: int) -> int:
        """Just past it, or the end of `data` when it has not come. Raises ChunkSizeError."""
        while self._trailers is None:
            start = offset + self._left_bytes
            if start >= len(data):
                self._left_bytes = start - len(data)
                return len(data)
            self._left_bytes = 0
            line_end = data.find(b"\n", start)
            self._line = (self._line + data[start : start + _SIZE_LINE_BYTES])[:_SIZE_LINE_BYTES]
            if line_end < 0:
                return len(data)
            self._begin_chunk()
            offset = line_end + 1
        end = self._trailers.end(data, offset)
        self.trailer_bytes += end - offset
        return end

    def _begin_chunk(self) -> None:
        size = _SIZE.match(self._line)
        if size is None:
            raise ChunkSizeError("a chunk does not begin with its size")
        content_bytes = int(size[0], 16)
        self._line = b""
        if content_bytes:
            self._left_bytes = content_bytes + 2
        else:
            self._trailers = BlankLine(b"\r\n")

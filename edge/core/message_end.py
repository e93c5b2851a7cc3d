"""
Where the parts of an HTTP/1.1 message end, in data that is split anywhere.

Owns the boundaries of what has no length: a head or a trailer section ends with its blank line, a chunked body with the section after
its last chunk. Content is stepped over by its chunk's size, never searched: a body made of blank lines costs no more than any other.
What chunks cost beyond their content is weighed where each content begins, so that the sum does not depend on how the data is split.
Source: RFC 9112 sections 2.1 and 7.1.
"""

from __future__ import annotations

import re

_END = b"\r\n\r\n"
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}(?![0-9A-Fa-f])")

CHUNK_OVERHEAD = 8
"""Wire bytes a chunked body may cost per body byte: `1CRLFxCRLF`, the least for a one-byte chunk, is 6. Go's CVE-2023-39326."""

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
    """
    Finds the end of one chunked body, trailers included.

    `excess_bytes`: the most that it had cost, at any place before the trailers, beyond CHUNK_OVERHEAD for each byte of content.
    """

    __slots__ = ("_content_bytes", "_left_bytes", "_line", "_trailers", "_wire_bytes", "excess_bytes", "trailer_bytes")

    def __init__(self) -> None:
        self._left_bytes = 0  # of the current chunk, with the line break after its content
        self._line = b""  # the beginning of a size line whose end has not come
        self._trailers: BlankLine | None = None
        self._wire_bytes = self._content_bytes = self.excess_bytes = 0  # of the chunks so far; content as declared
        self.trailer_bytes = 0  # of the trailer section, as far as it has come

    def end(self, data: bytes, offset: int) -> int:
        """Just past it, or the end of `data` when it has not come. Raises ChunkSizeError."""
        if self._trailers is None:
            offset = self._chunks(data, offset)
        if self._trailers is None:
            return offset
        end = self._trailers.end(data, offset)
        self.trailer_bytes += end - offset
        return end

    def _chunks(self, data: bytes, offset: int) -> int:
        """Just past the last chunk's size line, or the end of `data`."""
        size, before = len(data), self._wire_bytes - offset
        while self._trailers is None:
            start = offset + self._left_bytes
            if start >= size:
                self._left_bytes, offset = start - size, size
                break
            self._left_bytes = 0
            line_end = data.find(b"\n", start)
            self._line = (self._line + data[start : start + _SIZE_LINE_BYTES])[:_SIZE_LINE_BYTES]
            if line_end < 0:
                offset = size
                break
            offset = line_end + 1
            weight = before + offset - CHUNK_OVERHEAD * self._content_bytes
            if weight > self.excess_bytes:
                self.excess_bytes = weight
            self._begin_chunk()
        self._wire_bytes = before + offset
        content_bytes = self._content_bytes - max(0, self._left_bytes - 2)
        self.excess_bytes = max(self.excess_bytes, self._wire_bytes - CHUNK_OVERHEAD * content_bytes)
        return offset

    def _begin_chunk(self) -> None:
        size = _SIZE.match(self._line)
        if size is None:
            raise ChunkSizeError("a chunk does not begin with its size")
        content_bytes = int(size[0], 16)
        self._line = b""
        if content_bytes:
            self._content_bytes += content_bytes
            self._left_bytes = content_bytes + 2
        else:
            self._trailers = BlankLine(b"\r\n")

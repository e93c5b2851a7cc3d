"""
Where the blocks of a Zstandard stream end, in data that is split anywhere.

Owns the bound that the binding's incremental decompressor does not have: it inflates all it is given, whereas one block, given alone,
becomes 128 KiB at most. Only headers are read; whether what stands between them is sound is the decompressor's to say.
Source: RFC 8878 sections 3.1.1 (frames, blocks), 3.1.2 (skippable frames).
"""

from __future__ import annotations

_MAGIC = 0xFD2FB528
_SKIPPABLE, _SKIPPABLE_MASK = 0x184D2A50, 0xFFFFFFF0
_RLE = 1
_CHECKSUM_BYTES = 4
_ID_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)

_START = 0  # a frame's magic number comes
_DESCRIPTOR = 1
_HEADER = 2  # the rest of the frame's header
_LENGTH = 3  # a skippable frame's
_BLOCK = 4  # a block's header
_CONTENT = 5  # of a block, a checksum, a skippable frame; then comes what `_then` says
_WANTED = {_START: 4, _DESCRIPTOR: 1, _LENGTH: 4, _BLOCK: 3}


class ZstdFormatError(ValueError):
    """There is neither a frame nor a block where one must be."""


class ZstdBlocks:
    """`end` tells how far to go. `between`: a frame has ended and none has begun, so the stream may end here."""

    __slots__ = ("_checksum", "_left_bytes", "_seen", "_state", "_then")

    def __init__(self) -> None:
        self._state = _START
        self._then = _START
        self._left_bytes = 0
        self._seen = b""
        self._checksum = False

    @property
    def between(self) -> bool:
        """No frame is under way."""
        return self._state == _START and not self._seen

    def end(self, data: bytes, offset: int) -> int:
        """Just past the next block, header or frame, or the end of `data` where that has not come. Raises ZstdFormatError."""
        if self._state in (_CONTENT, _HEADER):
            end = min(offset + self._left_bytes, len(data))
            self._left_bytes -= end - offset
            if not self._left_bytes:
                self._state = _BLOCK if self._state == _HEADER else self._then
            return end
        end = offset + _WANTED[self._state] - len(self._seen)
        self._seen += data[offset:end]
        if end > len(data):
            return len(data)
        seen, self._seen = self._seen, b""
        self._read(int.from_bytes(seen, "little"))
        return end

    def _read(self, value: int) -> None:
        if self._state == _START:
            self._begin(value)
        elif self._state == _DESCRIPTOR:
            self._describe(value)
        elif self._state == _LENGTH:
            self._pass(value, _START)
        else:
            self._block(value)

    def _begin(self, magic: int) -> None:
        if magic == _MAGIC:
            self._state = _DESCRIPTOR
        elif magic & _SKIPPABLE_MASK == _SKIPPABLE:
            self._state = _LENGTH
        else:
            raise ZstdFormatError("no frame begins here")

    def _describe(self, descriptor: int) -> None:
        single = descriptor >> 5 & 1
        size_bytes = _SIZE_BYTES[descriptor >> 6] or single
        self._checksum = bool(descriptor >> 2 & 1)
        self._left_bytes = (1 - single) + _ID_BYTES[descriptor & 3] + size_bytes
        self._state = _HEADER

    def _block(self, header: int) -> None:
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if last:
            self._then = _CONTENT if self._checksum else _START
        else:
            self._then = _BLOCK
        self._pass(1 if kind == _RLE else size, self._then)

    def _pass(self, size: int, then: int) -> None:
        """Content of `size` bytes comes; a checksum is content, too."""
        checksum = then == _CONTENT
        self._left_bytes = size + (_CHECKSUM_BYTES if checksum else 0)
        self._then = _START if checksum else then
        self._state = _CONTENT if self._left_bytes else self._then

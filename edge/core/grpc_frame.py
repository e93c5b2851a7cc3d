"""
Length-prefixed gRPC messages: five bytes (a compressed flag, a big-endian length), then the message.

Owns the bound on a message: a length above the limit is refused when its prefix is read, before a byte is kept for it, and
inflation stops at the same limit. Source: PROTOCOL-HTTP2.md (Length-Prefixed-Message),
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import NamedTuple

PREFIX_BYTES = 5
_PREFIX = Struct(">BI").unpack_from
MAX_LENGTH = 2**32 - 1
_MAX_MEMBERS = (
    64  # each costs a copy of what follows it, also when it is empty: 800 kB of empty ones took half a second
)
_GZIP_WBITS = 31  # zlib's spelling of "a gzip wrapper, the largest window"


class FrameError(Exception):
    """The bytes are no sequence of gRPC messages."""


class MessageTooLarge(FrameError):
    """A message is larger than the limit, as sent or as inflated."""


class Frame(NamedTuple):
    """One message as it came; `payload` is still compressed when `compressed` says so."""

    compressed: bool
    payload: bytes


_frame = tuple.__new__
"""Makes a Frame without the call of Python that a named tuple's own `__new__` is: one is made for each message of a stream."""


class Inflated(bytes):
    """A message that came compressed with gzip, as it is without; `gzipped` is how it came, for whoever can pass it on so."""

    gzipped: bytes

    @classmethod
    def of(cls, gzipped: bytes, max_bytes: int) -> Inflated:
        """Inflate within bounds (`inflate_gzip`). Raises FrameError."""
        message = cls(inflate_gzip(gzipped, max_bytes))
        message.gzipped = gzipped
        return message


def encode_frame(message: bytes, *, compressed: bool = False) -> bytes:
    """A message with its prefix, which says whether it is compressed. Raises MessageTooLarge past 4 GiB - 1."""
    if len(message) > MAX_LENGTH:
        raise MessageTooLarge("a gRPC message is at most 4294967295 bytes long")
    return (b"\1" if compressed else b"\0") + len(message).to_bytes(4, "big") + message


def whole_message(data: bytes, max_bytes: int) -> bytes | None:
    """The message, when `data` is exactly one frame, not compressed and within the limit; what else it may be is the decoder's to say."""
    size = len(data) - PREFIX_BYTES
    if 0 <= size <= max_bytes and data[0] == 0 and int.from_bytes(data[1:PREFIX_BYTES], "big") == size:
        return data[PREFIX_BYTES:]
    return None


class FrameDecoder:
    """
    Cuts a stream of bytes, split anywhere, into frames.

    Holds at most one incomplete message: `max_message_bytes` and its prefix. After an error it must not be fed again.
    """

    __slots__ = ("_buffer", "_max_message_bytes")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a message has begun that has not ended: at the end of a stream, that is an error."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order. Raises FrameError."""
        if not self._buffer:
            frames, used = self._cut(data)
            self._buffer += data[used:] if used else data
            return frames
        self._buffer += data
        frames, used = self._cut(self._buffer)
        del self._buffer[:used]
        return frames

    def _cut(self, data: bytes | bytearray) -> tuple[list[Frame], int]:
        frames: list[Frame] = []
        start, size, limit = 0, len(data), self._max_message_bytes
        while (head := start + PREFIX_BYTES) <= size:
            flags, length = _PREFIX(data, start)
            if flags > 1:
                raise FrameError(f"a gRPC message has flags {flags:#04x}")
            if length > limit:
                raise too_large(length, limit)
            end = head + length
            if end > size:
                break
            frames.append(_frame(Frame, (flags == 1, bytes(data[head:end]))))
            start = end
        return frames, start


def too_large(length: int, max_bytes: int) -> MessageTooLarge:
    """What a message of `length` bytes is, where the limit is less."""
    return MessageTooLarge(f"a message of {length} bytes is larger than the limit of {max_bytes}")


def inflate_gzip(payload: bytes, max_bytes: int) -> bytes:
    """The message in a gzip payload, of one or several members; never makes more than `max_bytes` + 1 bytes. Raises FrameError."""
    parts: list[bytes] = []
    room = max_bytes
    rest = payload
    for _ in range(_MAX_MEMBERS):
        part, rest = _inflate_member(rest, room)
        room -= len(part)
        if room < 0:
            raise MessageTooLarge(f"a compressed message is larger than the limit of {max_bytes} bytes")
        parts.append(part)
        if not rest:
            return b"".join(parts)
    raise FrameError("a compressed message has too many gzip members")


def _inflate_member(payload: bytes, room: int) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(_GZIP_WBITS)
    try:
        part = inflater.decompress(payload, room + 1)
    except zlib.error as error:
        raise FrameError(f"a compressed message is no gzip: {error}") from error
    if not inflater.eof and len(part) <= room:
        raise FrameError("a compressed message is cut short")
    return part, inflater.unused_data

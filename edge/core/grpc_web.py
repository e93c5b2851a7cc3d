"""
What gRPC-Web adds to gRPC's messages: trailers as a frame of the body, and a body that is base64 text.

Owns two invariants: no trailer breaks out of its line in the frame, and text is decoded whatever way it was cut, each sender's flush
being padded on its own or not. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable

Header = tuple[bytes, bytes]

_TRAILERS = b"\x80"
_MAX_FLUSHES = 4096  # in one piece: each costs as much as some hundred bytes do, and no client flushes every few bytes
_QUAD = 4  # base64 goes by four characters to three bytes


def trailer_frame(trailers: Iterable[Header]) -> bytes:
    """The frame that ends an answer. Raises ValueError for a CR, LF or NUL, which would be read as another trailer."""
    lines = [name + b":" + value for name, value in trailers]
    block = b"".join([line + b"\r\n" for line in lines])
    if block.count(b"\n") != len(lines) or block.count(b"\r") != len(lines) or b"\0" in block:
        raise ValueError("CR, LF or NUL in a trailer")
    return _TRAILERS + len(block).to_bytes(4, "big") + block


def encode_text(data: bytes) -> bytes:
    """A piece of an answer as text: padded, so that the client can decode it before the next one comes."""
    return binascii.b2a_base64(data, newline=False)


class TextDecoder:
    """
    Decodes base64 that comes in pieces cut anywhere; padding may stand inside, where the sender flushed.

    Holds at most three characters between pieces.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def partial(self) -> bool:
        """Whether characters are left that make no byte yet: at the end of a body, that is an error."""
        return bool(self._rest)

    def feed(self, text: bytes) -> bytes:
        """The bytes that `text` completes. Raises ValueError."""
        text = self._rest + text if self._rest else text
        whole = len(text) - len(text) % _QUAD
        self._rest = text[whole:]
        parts: list[bytes] = []
        start = 0
        while start < whole:
            padding = text.find(b"=", start, whole)
            end = whole if padding < 0 else padding - padding % _QUAD + _QUAD
            if len(parts) == _MAX_FLUSHES:
                raise ValueError("the base64 is padded too often")
            parts.append(binascii.a2b_base64(text[start:end], strict_mode=True))
            start = end
        return b"".join(parts)

"""
An answer's bytes, made of parts (`edge.wire.http1.RenderAnswer`), and its field lines.

Owns the proof that no field breaks out of its line: no CR, LF or NUL in any, whoever set it (a response split in two would answer another
client's request). Source: RFC 9112 section 11.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.wire.http1 import Header, UnsafeFieldError

_NUL, _LF, _CR = b"\0\n\r"


def render(
    line: bytes, headers: Sequence[Header], length: int | None, own: bytes, date: bytes, body: bytes, /
) -> bytes:
    """`edge.wire.http1.RenderAnswer`."""
    if length is None:
        return b"%b%b%b%b\r\n%b" % (line, field_lines(headers), own, date, body)
    return b"%b%bcontent-length: %d\r\n%b%b\r\n%b" % (line, field_lines(headers), length, own, date, body)


def field_lines(headers: Sequence[Header]) -> bytes:
    """The fields as lines. Raises UnsafeFieldError when one would be read as more than its own line."""
    lines: list[bytes] = []
    for name, value in headers:
        # Searches for one octet are memchr's: all six cost less than one by a pattern, or for bytes of length one.
        if _CR in value or _LF in value or _NUL in value or _CR in name or _LF in name or _NUL in name:
            raise UnsafeFieldError("CR, LF or NUL in a response field")
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)

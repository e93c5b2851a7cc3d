"""
Messages that are there at once, in few writes.

Owns that none is lost when a later one cannot be said: what came before it is sent, as if each had gone alone. And that what is written
at once is bounded as it is written: messages that are small may be large as JSON, with fields at their default.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

PIECE_BYTES = 16 * 1024
"""Written together at most, and the last message."""


async def say_together(
    write: Callable[[bytes], Awaitable[None]], messages: Sequence[bytes], said: Callable[[bytes], bytes]
) -> None:
    """Write each as `said` says it. Raises what `said` raises."""
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        for message in messages:
            piece = said(message)
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes >= PIECE_BYTES:
                whole, pieces, size_bytes = b"".join(pieces), [], 0
                await write(whole)
    finally:
        if pieces:
            await write(b"".join(pieces))

"""
A request body whose content coding is undone while it comes.

Owns two bounds on what a few bytes can cost: the loop's other calls have their turn between the steps of a bomb, and few bodies at a time
may be in a coding whose window the client chooses, since each may hold 16 MiB of it for as long as it likes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from edge.core.content_coding import IDENTITY
from edge.core.permits import Permits
from edge.core.stream_inflate import WIDE, BrokenCodingError, Inflater
from edge.ingress.refusals import coding_refusal
from edge.ingress.service import BodyBroken, BodySource
from edge.outcome import Fault, Refusal

_BURST = 8
"""Steps of at most 128 KiB taken in one go; some milliseconds."""

_wide = Permits(32)
"""One for each body in a wide coding, in this process: 512 MiB of windows at the worst. The others hold 32 KiB each."""


@contextmanager
def inflating(body: BodySource, coding: str) -> Iterator[BodySource]:
    """The body without its coding (`stream_inflate.coding_of`). Raises BodyBroken when there are too many of its kind."""
    if coding == IDENTITY:
        yield body
        return
    if coding not in WIDE:
        yield InflatingBody(body, coding)
        return
    if not _wide.take():
        raise BodyBroken(Refusal(Fault.OVERLOADED, f"too many streams in {coding} at once", retry_after_s=1.0))
    try:
        yield InflatingBody(body, coding)
    finally:
        _wide.give_back()


class InflatingBody:
    """`edge.ingress.service.BodySource` over one in a coding."""

    __slots__ = ("_body", "_count", "_inflater", "_steps")

    def __init__(self, body: BodySource, coding: str) -> None:
        self._body = body
        self._inflater = Inflater(coding)
        self._steps: Iterator[bytes] = iter(())
        self._count = 0

    async def read(self) -> bytes:
        """The next piece, empty at the end. Raises BodyBroken."""
        try:
            while True:
                for piece in self._steps:
                    self._count += 1
                    if self._count % _BURST == 0:
                        await asyncio.sleep(0)
                    if piece:
                        return piece
                data = await self._body.read()
                if not data:
                    self._inflater.end()
                    return b""
                self._steps = self._inflater.feed(data)
        except BrokenCodingError as error:
            raise BodyBroken(coding_refusal(error.error)) from error

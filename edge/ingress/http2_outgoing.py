"""
What one HTTP/2 stream still has to send: a head, body bytes, an end.

Owns their order and how much of them is out. Nothing is copied and nothing waits elsewhere: what flow control or the socket does
not take stays here, and whoever adds more waits for that (`LeavingAnswer`) or has added all (a whole answer).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from edge.ingress.service import Header
from edge.wire.session import H2Session


class Outgoing:
    """`over` once the end of the stream has been sent; `body_bytes` counts what flow control took of the body."""

    __slots__ = ("_data", "_ending", "_head", "_trailers", "body_bytes", "over")

    def __init__(self) -> None:
        self._head: Sequence[Header] | None = None
        self._data: bytes | memoryview = b""
        self._trailers: Sequence[Header] = ()
        self._ending = False
        self.over = False
        self.body_bytes = 0

    @property
    def waiting(self) -> bool:
        """Something is left to send."""
        return not self.over and (self._ending or self._head is not None or len(self._data) > 0)

    @property
    def held_bytes(self) -> int:
        """Of the body, what waits here."""
        return len(self._data)

    def begin(self, head: Sequence[Header]) -> None:
        """The head comes next."""
        self._head = head

    def add(self, data: bytes) -> None:
        """Body bytes; only when none are left."""
        self._data = data

    def end(self, trailers: Sequence[Header] = ()) -> None:
        """Nothing more follows what is here."""
        self._ending = True
        self._trailers = trailers

    def clear(self) -> None:
        """Nobody reads it any more."""
        self._head, self._data, self._trailers = None, b"", ()
        self.over = True

    def push(self, session: H2Session, stream: int, limit: int) -> bool:
        """Send what flow control allows, `limit` body bytes at most; whether anything went out."""
        moved = self._head is not None
        if self._head is not None:
            head, self._head = self._head, None
            self.over = self._ending and not self._data and not self._trailers
            session.send_headers(stream, head, end=self.over)
        if self._data:
            moved = self._push_data(session, stream, limit) or moved
        if self._ending and not self._data and not self.over:
            self.over = moved = True
            if self._trailers:
                session.send_headers(stream, self._trailers, end=True)
            else:
                session.send_data(stream, b"", end=True)
        return moved

    def _push_data(self, session: H2Session, stream: int, limit: int) -> bool:
        data, size = self._data, len(self._data)
        ends = self._ending and not self._trailers and size <= limit
        taken = session.send_data(stream, cast(bytes, data if size <= limit else memoryview(data)[:limit]), end=ends)
        self.body_bytes += taken
        self._data = memoryview(data)[taken:] if taken < size else b""
        self.over = ends and not self._data
        return taken > 0

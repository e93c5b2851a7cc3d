"""
Bytes received before their turn: pipelined requests while one is served.

Owns their order and their count. They stay bytes until their turn: parsed, a request costs ten times its size and more.
"""

from __future__ import annotations


class ReceiveQueue:
    """
    A queue of one buffer and an offset into it; adding while it is not empty copies, taking does not.

    `data` holds something exactly when the queue does: what is asked at each request costs no call.
    """

    __slots__ = ("_offset", "data")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""
        self._offset = 0

    def __len__(self) -> int:
        return len(self.data) - self._offset

    def hold(self, data: bytes, offset: int) -> None:
        """Start with `data` from `offset` on; the queue was empty."""
        self.data, self._offset = data, offset

    def add(self, data: bytes) -> None:
        """Append."""
        if not self.data:
            self.data = data
        elif isinstance(self.data, bytearray):
            self.data += data
        else:
            self.data = bytearray(memoryview(self.data)[self._offset :]) + data
            self._offset = 0

    def take(self) -> tuple[bytes, int]:
        """All of it, and where it starts; the queue is empty then."""
        data, offset = bytes(self.data), self._offset
        self.clear()
        return data, offset

    def clear(self) -> None:
        """Forget it."""
        self.data, self._offset = b"", 0

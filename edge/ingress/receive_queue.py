"""
Bytes received before their turn: pipelined requests while one is served.

Owns their order and their count. They stay bytes until their turn: parsed, a request costs ten times its size and more.
"""

from __future__ import annotations


class ReceiveQueue:
    """A queue of one buffer and an offset into it; adding while it is not empty copies, taking does not."""

    __slots__ = ("_data", "_offset")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._offset = 0

    def __len__(self) -> int:
        return len(self._data) - self._offset

    def hold(self, data: bytes, offset: int) -> None:
        """Start with `data` from `offset` on; the queue was empty."""
        self._data, self._offset = data, offset

    def add(self, data: bytes) -> None:
        """Append."""
        if not self._data:
            self._data = data
        elif isinstance(self._data, bytearray):
            self._data += data
        else:
            self._data = bytearray(memoryview(self._data)[self._offset :]) + data
            self._offset = 0

    def take(self) -> tuple[bytes, int]:
        """All of it, and where it starts; the queue is empty then."""
        data, offset = bytes(self._data), self._offset
        self.clear()
        return data, offset

    def clear(self) -> None:
        """Forget it."""
        self._data, self._offset = b"", 0

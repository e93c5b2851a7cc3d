"""
gRPC messages that wait for their reader, in about the memory they took on the wire.

Owns that "about": a frame as an object costs some 130 bytes however small its message is, so that a flow-control window full of tiny ones
would cost fifteen windows. Beyond the next few frames they are kept as bytes. A bound on what arrives, which the window is, is thereby
one on memory: a service, or a client that reads none of its answer, gains nothing by small messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edge.core.grpc_frame import PREFIX_BYTES, Frame, encode_frame

READY_FRAMES = 512
"""Kept as objects: more than a reader that keeps up ever leaves, and 64 KiB at most for tiny ones."""

_BLOCK_BYTES = 4096
"""Blocks of whole frames are about so large: one at a time becomes objects again."""


class HeldFrames:
    """A queue; `count` are in it. What goes in has been checked already (`FrameDecoder`)."""

    __slots__ = ("_blocks", "_last", "_ready", "count")

    def __init__(self) -> None:
        self.count = 0
        self._ready: deque[Frame] = deque()
        self._blocks: deque[bytes] = deque()  # come after those that are ready, as on the wire
        self._last = bytearray()  # the block after those

    def extend(self, frames: Sequence[Frame]) -> None:
        """These come last."""
        self.count += len(frames)
        room = 0 if self._last or self._blocks else max(0, READY_FRAMES - len(self._ready))
        if room >= len(frames):
            self._ready.extend(frames)
            return
        self._ready.extend(frames[:room])
        for start in range(room, len(frames), READY_FRAMES):
            rest = frames[start : start + READY_FRAMES]
            self._last += b"".join([encode_frame(frame.payload, compressed=frame.compressed) for frame in rest])
            if len(self._last) >= _BLOCK_BYTES:
                self._blocks.append(bytes(self._last))
                self._last.clear()

    def popleft(self) -> Frame:
        """The first. Raises IndexError when there is none."""
        if not self._ready and self.count:
            self._unpack()
        frame = self._ready.popleft()
        self.count -= 1
        return frame

    def clear(self) -> None:
        """Drop all."""
        self.count = 0
        self._ready.clear()
        self._blocks.clear()
        self._last.clear()

    def _unpack(self) -> None:
        if self._blocks:
            block = self._blocks.popleft()
        else:
            block = bytes(self._last)
            self._last.clear()
        add, start, size = self._ready.append, 0, len(block)
        while start < size:
            head = start + PREFIX_BYTES
            end = head + int.from_bytes(block[start + 1 : head], "big")
            add(Frame(block[start] == 1, block[head:end]))
            start = end

"""
One number for each worker, in memory that the supervisor and all workers share.

Owns that memory: anonymous, inherited by descriptor, gone with the last process that has it. Each number is written by one process and
is an aligned machine word, so that a reader sees the old one or the new one; nobody waits for anybody.
"""

from __future__ import annotations

import mmap
import os
import tempfile

_NUMBER_BYTES = 4


class SharedCounts:
    """The numbers behind a descriptor, which is ours from now on."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self.numbers = memoryview(self._memory).cast("i")

    @classmethod
    def of(cls, workers: int, value: int) -> SharedCounts:
        """New ones, each of this value."""
        made = cls(_memory(workers * _NUMBER_BYTES))
        for worker in range(workers):
            made.numbers[worker] = value
        return made

    def close(self) -> None:
        """Give the memory back; the numbers cannot be used any more."""
        self.numbers.release()
        self._memory.close()
        os.close(self.descriptor)


def _memory(size_bytes: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("edge-workers")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_bytes)
    return descriptor

"""
Where log lines end: a file that may be moved away under us, or standard output.

Owns writing without ever raising: a full disk or a closed pipe costs lines, which are counted, and nothing else. A line that
was cut off in the middle is ended before the next one, so that one failure spoils one line. Blocking: use it on a thread.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress

_FILE_CHUNK_BYTES = 1024 * 1024
_FULL_PIPE_WAIT_S = 1.0
_MODE = 0o640


class Sink:
    """Writes lines to `path`, or to standard output for `-`. Opening for the first time raises OSError; later failures cost lines."""

    def __init__(self, path: str) -> None:
        self._path = None if path == "-" else path
        self._fd = sys.__stdout__.fileno() if self._path is None and sys.__stdout__ else self._open()
        self._reopen = False
        self._is_torn = False
        self._chunk_bytes = self._measure()

    def _open(self) -> int:
        if self._path is None:
            raise OSError("standard output is closed")
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)

    def _measure(self) -> int:
        """Pipes keep writes of several processes apart only up to PIPE_BUF bytes (POSIX write(2)); files do so at any size."""
        return select.PIPE_BUF if stat.S_ISFIFO(os.fstat(self._fd).st_mode) else _FILE_CHUNK_BYTES

    def reopen(self) -> None:
        """Open the path anew before the next write. May be called from another thread."""
        self._reopen = True

    def write(self, lines: list[bytes]) -> int:
        """Write whole lines; the number of those lost."""
        if self._path is not None and (self._reopen or self._was_moved()):
            self._follow()
        return sum(self._write_chunk(chunk) for chunk in chunks(lines, self._chunk_bytes))

    def _was_moved(self) -> bool:
        try:
            now, ours = os.stat(self._path or ""), os.fstat(self._fd)
        except OSError:
            return True
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino)

    def _follow(self) -> None:
        """Change to a new file; while none can be opened, the moved one goes on being written."""
        self._reopen = False
        try:
            new = self._open()
        except OSError:
            return
        self.close()
        self._fd, self._is_torn = new, False

    def _write_chunk(self, chunk: list[bytes]) -> int:
        """Write one chunk; the number of its lines that are not wholly out. Each holds one line feed, at its end."""
        opening = b"\n" if self._is_torn else b""
        data = opening + b"".join(chunk)
        out = data[: self._write_all(data)]
        if not out:
            return len(chunk)
        self._is_torn = not out.endswith(b"\n")
        return len(chunk) - out.count(b"\n", len(opening))

    def _write_all(self, data: bytes) -> int:
        """The bytes written before a failure: all of them when there was none."""
        written = 0
        while written < len(data):
            try:
                written += os.write(self._fd, data[written:])
            except BlockingIOError:  # someone made the shared pipe non-blocking
                if not select.select((), (self._fd,), (), _FULL_PIPE_WAIT_S)[1]:
                    break
            except OSError:
                break
        return written

    def close(self) -> None:
        """Close the file; standard output stays open, it is not ours."""
        if self._path is not None:
            with suppress(OSError):
                os.close(self._fd)


def chunks(lines: list[bytes], limit: int) -> Iterator[list[bytes]]:
    """The lines in groups of at most `limit` bytes; a longer line is a group of its own."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and size + len(line) > limit:
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group

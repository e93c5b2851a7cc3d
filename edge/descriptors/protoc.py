"""
The protocol buffer compiler, run inside this process: arguments in, exit code and error text out.

Owns the capture of file descriptor 2. The compiler is C++ and writes its errors there, past Python's `sys.stderr`; for the time of
one run the descriptor points at a temporary file, and it is restored whatever happens. What others wrote in that time is
not lost: `pass_on` gives it to the real stderr. Source: grpc_tools.protoc of the grpcio-tools package.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_STDERR = 2
_lock = threading.Lock()
"""One run at a time: the compiler and the descriptor are both the whole process's."""


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Run protoc with `arguments` (without the program's name): its exit code, and all that reached stderr meanwhile."""
    # Imported late: a gateway that is described by reflection alone never loads the compiler.
    from grpc_tools import protoc

    with _lock, tempfile.TemporaryFile() as sink:
        with _stderr_into(sink.fileno()):
            code = protoc.main(["protoc", *arguments])
        sink.seek(0)
        return int(code), sink.read().decode(errors="replace")


def pass_on(lines: Sequence[str]) -> None:
    """Write lines to stderr that were captured but are not the compiler's: another thread's log."""
    if lines and sys.stderr is not None:
        sys.stderr.write("".join(f"{line}\n" for line in lines))


@contextmanager
def _stderr_into(target: int) -> Iterator[None]:
    if sys.stderr is not None:
        sys.stderr.flush()
    saved = _duplicate(_STDERR)
    os.dup2(target, _STDERR)
    try:
        yield
    finally:
        if saved is None:
            os.close(_STDERR)
        else:
            os.dup2(saved, _STDERR)
            os.close(saved)


def _duplicate(descriptor: int) -> int | None:
    """A copy of a descriptor, None when it is closed (a daemon's stderr may be)."""
    try:
        return os.dup(descriptor)
    except OSError:
        return None

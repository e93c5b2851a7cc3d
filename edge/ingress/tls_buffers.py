"""
Where glibc puts the 256 KiB that uvloop reads each TLS connection into, of which one at rest has touched a page.

Owns that each is mapped by itself. Carved from the heap it begins where the handshake before it has left some 20 KiB of dirty memory, and
keeps that resident for as long as its connection rests: more than OpenSSL needs. glibc maps by itself what is as large as one threshold
and does not fit at the end of the heap, which is cut back to another when something is freed. Both are lowered only while a connection is
being made: message bodies as large would get fresh pages each time, at half as much CPU again for 1 MB of JSON. Elsewhere than on glibc
nothing is done. Source: mallopt(3), uvloop's sslproto.pyx.
"""

from __future__ import annotations

import asyncio
import ctypes

BUFFER_BYTES = 256 * 1024
"""uvloop's SSL_READ_MAX_SIZE."""

MAPPED_BYTES = 8 << 20
TRIMMED_BYTES = 16 << 20
"""What the thresholds are otherwise: where glibc's own, which move until they are first set, come to rest under bodies of 4 MiB."""

CUT_BACK_BYTES = 128 * 1024
"""What is left at the end of the heap: too little for a buffer."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


class TlsBuffers:
    """One loop's. `make_room` is called just before uvloop makes a TLS connection, in the same turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._glibc = _glibc()
        self._lowered = False
        self._set(MAPPED_BYTES, TRIMMED_BYTES)

    def make_room(self) -> None:
        """Until the next turn of the loop a buffer is mapped by itself."""
        if self._glibc is None or self._lowered:
            return
        self._lowered = True
        self._set(BUFFER_BYTES, CUT_BACK_BYTES)
        self._glibc.free(self._glibc.malloc(CUT_BACK_BYTES))  # it is cut back when something of this size is freed
        self._loop.call_soon(self._raise)

    def _raise(self) -> None:
        self._lowered = False
        self._set(MAPPED_BYTES, TRIMMED_BYTES)

    def _set(self, mapped_bytes: int, trimmed_bytes: int) -> None:
        if self._glibc is not None:
            self._glibc.mallopt(_MMAP_THRESHOLD, mapped_bytes)
            self._glibc.mallopt(_TRIM_THRESHOLD, trimmed_bytes)


def _glibc() -> ctypes.PyDLL | None:
    """None where the C library has no mallopt (musl, macOS)."""
    try:
        library = ctypes.PyDLL(None)  # its functions are called without letting go of the interpreter: they are short
        library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
        library.mallopt.restype, library.mallopt.argtypes = ctypes.c_int, [ctypes.c_int, ctypes.c_int]
    except (AttributeError, OSError, TypeError):
        return None
    return library

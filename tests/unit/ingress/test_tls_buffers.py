"""uvloop's TLS buffers are mapped by themselves, and message bodies as large are not. Asked in a process whose heap has no holes yet."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys

import pytest

_PROGRAM = """
import asyncio, ctypes, json
from edge.ingress.tls_buffers import BUFFER_BYTES, TlsBuffers

libc = ctypes.CDLL(None)
Usage = type("Usage", (ctypes.Structure,), {"_fields_": [(str(place), ctypes.c_size_t) for place in range(10)]})
libc.mallinfo2.restype = Usage
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def is_mapped():
    before = getattr(libc.mallinfo2(), "3")  # hblks: blocks that are mapped by themselves
    libc.malloc(BUFFER_BYTES)
    return getattr(libc.mallinfo2(), "3") > before

async def seen():
    buffers = TlsBuffers(asyncio.get_running_loop())
    for _ in range(2):
        libc.free(libc.malloc(4 << 20))  # a body came and went: the end of the heap is free
        yield "a body", is_mapped()
        buffers.make_room()
        yield "a connection", is_mapped()
        buffers.make_room()
        yield "another in the same turn", is_mapped()
        await asyncio.sleep(0)

async def main():
    print(json.dumps([each async for each in seen()]))

asyncio.run(main())
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="no glibc, or one that tells nothing of its heap"
)
def test_only_while_a_connection_is_made() -> None:
    told = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)
    assert (
        json.loads(told.stdout) == [["a body", False], ["a connection", True], ["another in the same turn", True]] * 2
    )

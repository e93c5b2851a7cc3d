"""How much memory is kept after something was done often: what a client can make a process hold."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def kept_bytes(action: Callable[[int], object], times: int = 40) -> int:
    """What `action`, called with 0, 1, …, leaves allocated, its first call (which may import or compile) aside."""
    action(-1)
    tracemalloc.start()
    try:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(times):
            action(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


LONG = 32 * 1024
"""The length of a field that a client sends to be remembered by: forty of them are a megabyte and more."""

FEW = 256 * 1024
"""More than is kept by whoever remembers short things only."""

"""
Python's cyclic collector in a process that serves: what start-up made is put out of its sight.

Owns how long garbage lies about. A full pass comes when what survived the young passes is a quarter of what survived the last full one,
and start-up leaves 100,000 objects (routes, schemas, modules): tens of thousands of dead ones, with their buffers, would wait for that,
and the pass would walk them all, some 60 ms during which no call moves. Set aside, full passes are frequent and short.
Source: docs.python.org/3/library/gc.html#gc.freeze.
"""

from __future__ import annotations

import gc

_YOUNG_OBJECTS = 10_000
"""New objects beyond those freed before the collector looks at the youngest; Python's 700 are a dozen requests on their way."""


def set_aside() -> None:
    """Collect, then keep the collector from what is left. What was set aside before and has died since is collected, too."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])

"""
Metrics shared by worker processes through files (prometheus_client's multiprocess mode).

Owns the naming of those files by worker *slot* instead of process id: a worker that takes a dead one's place goes on counting
in its files, so counters never fall and a crash loop leaves no files behind.
Source: https://prometheus.github.io/client_python/multiprocess/ (the process identifier may be any, unique among the living).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class SharedMetrics:
    """A directory that the supervisor made empty, and this worker's slot in it."""

    directory: str
    slot: int

    def install(self) -> None:
        """Let every metric made from now on in this process live in the directory."""
        os.environ[DIRECTORY_VARIABLE] = self.directory
        identify = self.slot
        values.ValueClass = values.MultiProcessValue(lambda: identify)  # type: ignore[no-untyped-call]  # the library has no annotations there


def forget_worker(directory: str, slot: int) -> None:
    """Remove a dead worker's gauges: its calls and connections are no more. Its counters stay."""
    mark_process_dead(slot, directory)  # type: ignore[no-untyped-call]  # the library has no annotations there

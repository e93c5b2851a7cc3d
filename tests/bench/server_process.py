"""
A server under measurement: started pinned, waited for, ended.

Owns that what was started is ended, and that a server that does not come up says why.
"""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.site import GATEWAY_CORE, LOAD_CORE
from tests.bench.variants import Variant


@dataclass(frozen=True)
class Server:
    """One that answers. `pid` is its first process; workers are children of it."""

    name: str
    port: int
    pid: int
    tls: bool = False


def cores(variant: Variant) -> str:
    """Where the gateway may run; with two workers it shares the second core with the load (two cores are all there are)."""
    return f"{GATEWAY_CORE}" if variant.workers == 1 else f"{GATEWAY_CORE},{LOAD_CORE}"


@contextmanager
def started(
    command: Sequence[str], log: Path, ready_url: str, *, on: str, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run `command` on the cores `on` until the block is over; gives the pid once `ready_url` answers at all."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            ["taskset", "-c", on, *command], stdout=sink, stderr=sink, env={**os.environ, **(environment or {})}
        )
    try:
        _wait_ready(process, ready_url, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{process.args!r} was not ready:\n{log.read_text()}")

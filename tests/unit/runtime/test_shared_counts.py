"""Memory that processes share by descriptor."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edge.runtime.shared_counts import SharedCounts

_WRITE = """
import sys
from edge.runtime.shared_counts import SharedCounts
counts = SharedCounts(int(sys.argv[1]))
assert list(counts.numbers) == [-1, -1, -1]
counts.numbers[1] = 70_000
"""


def write_from_another_process(counts: SharedCounts) -> None:
    command = [sys.executable, "-c", _WRITE, str(counts.descriptor)]
    subprocess.run(command, pass_fds=(counts.descriptor,), check=True, timeout=60)


def test_what_one_process_writes_another_reads() -> None:
    counts = SharedCounts.of(3, -1)
    write_from_another_process(counts)
    assert list(counts.numbers) == [-1, 70_000, -1]
    counts.close()


def test_a_system_without_memfd_uses_a_file_that_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    counts = SharedCounts.of(3, -1)
    write_from_another_process(counts)
    assert list(counts.numbers) == [-1, 70_000, -1]
    counts.close()


def test_it_leaves_nothing_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    SharedCounts.of(2, 0).close()
    assert len(os.listdir("/proc/self/fd")) == before

"""One worker process as its supervisor holds it; the process here is any that speaks on the channel."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.runtime.child import Child
from edge.runtime.shared_counts import SharedCounts

_SPEAK = """
import os, sys, time
from edge.runtime.inheritance import claim
given = claim()
assert given is not None and os.getpgid(0) == os.getpid() and "NOTIFY_SOCKET" not in os.environ
os.write(given.channel, b'{"ready": true}' + b"\\n")
if given.slot == 1: time.sleep(60)
sys.exit(7)
"""


@contextmanager
def _child(slot: int) -> Iterator[Child]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        counts = SharedCounts.of(2, 0)
        child = Child([sys.executable, "-c", _SPEAK], slot, [sock], None, counts, "nowhere", now=5.0)
        try:
            yield child
        finally:
            child.send(signal.SIGKILL)
            while child.reap() is None:
                time.sleep(0.01)
            child.close()
            counts.close()


def test_one_that_cannot_be_started_leaves_nothing_open() -> None:
    """The supervisor tries again and again: a descriptor each time would be its end."""
    counts = SharedCounts.of(1, 0)
    before = len(os.listdir("/proc/self/fd"))
    errors = []
    for _ in range(3):
        try:
            Child(["/nonexistent/python"], 0, [], None, counts, "nowhere", now=0.0)
        except OSError as error:
            errors.append(error)  # keeps the frame, and so would keep the socket
    assert len(errors) == 3
    assert len(os.listdir("/proc/self/fd")) == before
    counts.close()


def test_a_reload_before_it_can_heed_one_does_not_end_it() -> None:
    """SIGHUP's default action would; here it stays pending, for `_SPEAK` never asks for it."""
    with _child(0) as child:
        child.send(signal.SIGHUP)
        while (code := child.reap()) is None:
            time.sleep(0.01)
        assert code == 7


def test_its_report_and_its_exit_code_are_read() -> None:
    with _child(0) as child:
        assert child.served_s(9.0) is None
        while child.read(7.0):
            select.select((child.channel,), (), (), 10)
        assert child.reports.ready
        assert child.served_s(9.0) == 2.0
        while (code := child.reap()) is None:
            time.sleep(0.01)
        assert code == 7


def test_a_running_one_is_signalled() -> None:
    with _child(1) as child:
        assert select.select((child.channel,), (), (), 10)[0]
        assert child.read(6.0)
        assert child.reap() is None
        child.send(signal.SIGTERM)
        while (code := child.reap()) is None:
            time.sleep(0.01)
        assert code == -signal.SIGTERM
        child.send(signal.SIGTERM)  # harmless now

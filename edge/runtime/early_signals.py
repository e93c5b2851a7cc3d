"""
Signals that come before anyone can heed them.

Owns that a reload or a log rotation asked of a process that is still starting is done when it has started: the default action of
SIGHUP and SIGUSR1 would end it. The mask is inherited by exec, so a supervisor holds them back for the workers it is about to start.
Source: sigprocmask(2), signal(7) ("execution of signal handlers", inheritance of the mask).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_HELD = (signal.SIGHUP, signal.SIGUSR1)


def let_through() -> None:
    """Deliver them, what is pending first. Handlers must be in place."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)


@contextmanager
def held_back() -> Iterator[None]:
    """
    Keep them pending for a while, in this thread and the threads and processes it starts.

    What comes meanwhile is delivered at the end, or by `let_through` before it, unless it was held back already.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

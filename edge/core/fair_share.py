"""
How many of the connections in a queue one worker takes when several take from the same queue.

Owns that workers come to hold equally many: a connection goes to whoever holds fewest, as under Envoy's `exact_balance`. Nothing is
handed over and nobody is asked. Each worker writes down how many it holds where all can read it, and leaves to the others what is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

AWAY = -1
"""Stands for a worker that takes no connections: not started yet, draining, dead."""


class Counts(Protocol):
    """What each worker holds, or AWAY; memory that they share."""

    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, worker: int, /) -> int: ...
    def __setitem__(self, worker: int, count: int, /) -> None: ...


def fair_share(held: Counts, mine: int, waiting: int) -> int:
    """
    How many of `waiting` connections worker `mine` takes.

    Whoever holds most is left out until the others have caught up; what does not divide
    is everyone's to take, so that one connection is never nobody's.
    """
    total, sharing = held[mine] + waiting, 1
    for count in sorted(count for worker, count in enumerate(held) if count != AWAY and worker != mine):
        if count * sharing >= total:
            break
        total, sharing = total + count, sharing + 1
    return max(0, -(-total // sharing) - held[mine])


class WorkerShare:
    """One worker's place among those that take from the same queue."""

    __slots__ = ("_held", "_mine", "_withdrawn")

    def __init__(self, held: Counts, mine: int) -> None:
        self._held = held
        self._mine = mine
        self._withdrawn = False

    def publish(self, count: int) -> None:
        """Tell the others how many this one holds."""
        if not self._withdrawn:
            self._held[self._mine] = count

    def withdraw(self) -> None:
        """Take no more, as far as the others are concerned."""
        self._withdrawn = True
        self._held[self._mine] = AWAY

    def of(self, waiting: int) -> int:
        """How many of the connections that wait it takes."""
        return fair_share(self._held, self._mine, waiting)

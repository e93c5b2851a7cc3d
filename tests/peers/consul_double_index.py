"""
The index of the double: one counter over all writes, the last write of each table, and who waits for the next.
"""

from __future__ import annotations

import asyncio
import re

_PER = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Index:
    """Monotonic, as Raft's; a fresh one starts low."""

    def __init__(self) -> None:
        self.value = 10
        self._tables: dict[str, int] = {}
        self._changed = asyncio.Event()

    def of(self, table: str) -> int:
        """The last write of a table."""
        return self._tables.get(table, 10)

    def write(self, table: str) -> int:
        """A write; its index. Whoever waits for any table wakes and looks."""
        self.value += 1
        self._tables[table] = self.value
        self._changed.set()
        self._changed = asyncio.Event()
        return self.value

    async def past(self, table: str, since: int, wait_s: float) -> None:
        """Return once the table was written after `since`, or `wait_s` seconds have passed."""
        try:
            async with asyncio.timeout(wait_s):
                while self.of(table) <= since:
                    await self._changed.wait()
        except TimeoutError:
            return


def duration_s(text: str) -> float:
    """Seconds of a Go duration."""
    return sum(float(number) * _PER[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))

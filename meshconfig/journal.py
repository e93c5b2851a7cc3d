"""
What an apply has done so far, on disk before it is done.

Owns that a process that dies leaves enough to undo it: a line is flushed to the disk before its write goes out. A journal that is still
there is an apply nobody finished; a finished one is removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshconfig.items import Item, Key


@dataclass(frozen=True, slots=True)
class Entry:
    """One write about to be made: the item as it was and as it is to be; None where there is none."""

    key: Key
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    owner_before: str


class Journal:
    """A file of JSON lines. Made by `begin`, which refuses a path that is there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def begin(cls, path: Path) -> Journal:
        """An empty one, readable by its owner alone. Raises FileExistsError: an earlier apply was not finished."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return cls(path)

    def note(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Write one down, to the disk."""
        line = {
            "key": list(key),
            "before": None if before is None else dict(before.raw),
            "owner": "" if before is None else before.owner,
            "after": None if after is None else dict(after.raw),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def noted(self) -> list[Entry]:
        """What was written down, oldest first; a last line that was cut off was never acted on."""
        found = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line)
            except ValueError:
                break
            found.append(Entry(Key(*data["key"]), data["before"], data["after"], data["owner"]))
        return found

    def finish(self) -> None:
        """Remove it: everything was done, or undone."""
        self._path.unlink(missing_ok=True)

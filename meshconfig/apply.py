"""
Changes put into Consul, all of them or none.

Owns: every write is a compare-and-set on what was read; of a shared entry only our part is replaced, read anew on every attempt, so that
two who write at once both keep theirs; when one write fails, those before it are undone, backwards, unless somebody has changed them since.
Consul has no transaction over entries: between the first write and the last the state is half of both, and the journal says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meshconfig import normal
from meshconfig.consul_store import ConfigEntries, StoreError
from meshconfig.diff import Change
from meshconfig.items import PARTS, Entry, Item, Key, items, with_part
from meshconfig.journal import Journal
from meshconfig.ownership import spec_hash
from meshconfig.steps import steps

ATTEMPTS = 20
"""A write that loses this often against others does not happen by chance: each loss is somebody else's success."""

Told = Callable[[str], None]


class ApplyError(Exception):
    """Nothing of it is in force; `kept` names what could not be undone because somebody changed it since."""

    def __init__(self, reason: str, kept: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.kept = kept


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write, and under whose name."""

    entries: ConfigEntries
    owner: str


def apply(target: Target, changes: Iterable[Change], journal: Journal, told: Told) -> int:
    """
    Make the changes in order; how many were made. `told` hears of each.

    Raises ApplyError when one failed, after undoing the others.
    """
    made = 0
    for change in steps(changes):
        journal.note(change.key, change.before, change.after)
        try:
            _put(target, change.key, change.before, change.after)
        except StoreError as error:
            told(f"failed: {change.key}: {error}")
            kept = roll_back(target, journal, told)
            raise ApplyError(f"{change.key}: {error}", kept) from None
        made += 1
        told(f"{_PAST[change.action]}: {change.key}")
    journal.finish()
    return made


def roll_back(target: Target, journal: Journal, told: Told) -> tuple[str, ...]:
    """Undo what a journal holds, newest first; what somebody has changed since is left, and named. Raises StoreError."""
    kept = []
    for noted in reversed(journal.noted()):
        before = None if noted.before is None else _item(noted.key, noted.before, noted.owner_before)
        after = None if noted.after is None else _item(noted.key, noted.after, target.owner)
        current = _current(target, noted.key)[1]
        if _same(current, before):
            continue  # it failed before it was made
        if not _same(current, after):
            kept.append(str(noted.key))
            told(f"not undone: {noted.key}: somebody has changed it since")
            continue
        _put(target, noted.key, after, before)
        told(f"undone: {noted.key}")
    journal.finish()
    return tuple(kept)


_PAST: Mapping[str, str] = {"create": "created", "change": "changed", "delete": "deleted"}


def _item(key: Key, raw: Mapping[str, Any], owner: str) -> Item:
    entry = {"Kind": key.kind, "Name": key.name, PARTS[key.kind]: [dict(raw)]} if key.kind in PARTS else dict(raw)
    found = items([entry])[key]
    return Item(found.body, raw, owner)


def _current(target: Target, key: Key) -> tuple[Entry | None, Item | None]:
    entry = target.entries.read(key.kind, key.name)
    return entry, items([entry]).get(key) if entry else None


def _same(one: Item | None, other: Item | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.body == other.body


def _put(target: Target, key: Key, before: Item | None, after: Item | None) -> None:
    """One item from `before` to `after`. Raises StoreError when it is neither: the plan was of another state."""
    for _ in range(ATTEMPTS):
        entry, current = _current(target, key)
        if not _same(current, before):
            if _same(current, after):
                return  # somebody, most likely another apply of the same plan, was faster
            raise StoreError("it has changed since the plan was made: plan again")
        wanted = _entry(target, key, entry, after)
        index = int(entry["ModifyIndex"]) if entry else 0
        if _written(target.entries, key, wanted, index):
            return
        # Somebody else wrote meanwhile: another part, or a server its Status. Look again.
    raise StoreError(f"others changed it {ATTEMPTS} times while it was being written")


def _written(entries: ConfigEntries, key: Key, wanted: Entry | None, index: int) -> bool:
    return entries.delete(key.kind, key.name, index) if wanted is None else entries.write(wanted, index)


def _entry(target: Target, key: Key, entry: Entry | None, after: Item | None) -> Entry | None:
    """The whole entry to write, None to delete it."""
    clean = None if entry is None else {name: value for name, value in entry.items() if name not in normal.SERVERS_OWN}
    if key.kind in PARTS:
        raw = None if after is None else after.raw
        mark = None if after is None or not after.owner else (after.owner, spec_hash(dict(after.raw)))
        return with_part(clean, key, raw, mark)
    if after is None:
        return None
    return {name: value for name, value in after.raw.items() if name not in normal.SERVERS_OWN}

"""
Consul's entries taken apart into what has one owner: a whole entry, one source of an intention, one exported service.

Owns that a shared entry is never seen, and so never written, as a whole: who else has a part in it keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from meshconfig import normal
from meshconfig.ownership import export_mark, owner_in, owner_of_source

Entry = dict[str, Any]
PARTS = {"service-intentions": "Sources", "exported-services": "Services"}
"""Kinds that several writers share, and the list their parts stand in."""


class Key(NamedTuple):
    """What names an item. `part` is empty for a whole entry."""

    kind: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f" [{self.part}]" if self.part else "")


@dataclass(frozen=True, slots=True)
class Item:
    """`body` as it compares, `raw` as it is written; `owner` is empty for a foreign one."""

    body: Mapping[str, Any]
    raw: Mapping[str, Any]
    owner: str
    index: int = 0


def items(entries: Iterable[Entry]) -> dict[Key, Item]:
    """Every item of these entries."""
    found: dict[Key, Item] = {}
    for entry in entries:
        kind, name, index = entry["Kind"], entry["Name"], int(entry.get("ModifyIndex") or 0)
        if kind in PARTS:
            for raw in entry.get(PARTS[kind]) or ():
                found[Key(kind, name, part_name(kind, raw))] = Item(
                    _part_body(kind, raw), raw, _part_owner(entry, raw), index
                )
        else:
            found[Key(kind, name)] = Item(normal.consul_entry(entry), entry, owner_in(entry), index)
    return found


def part_name(kind: str, raw: Mapping[str, Any]) -> str:
    """`edge`, or `edge@east` for a source of a peer."""
    if kind == "service-intentions":
        name, *elsewhere = normal.source_key(raw)
        return "@".join([name, *filter(None, elsewhere)])
    return str(raw["Name"])


def _part_body(kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    body = normal.source(raw)
    return {key: value for key, value in body.items() if key != "Description" or not owner_of_source(raw)}


def _part_owner(entry: Entry, raw: Mapping[str, Any]) -> str:
    if entry["Kind"] == "service-intentions":
        return owner_of_source(raw)
    marked = (key.partition("/exports/") for key in entry.get("Meta") or {})
    return next((owner for owner, separator, name in marked if separator and name == raw["Name"]), "")


def with_part(
    entry: Entry | None, key: Key, raw: Mapping[str, Any] | None, mark: tuple[str, str] | None
) -> Entry | None:
    """
    A shared entry with one part replaced (`raw` None: removed), all others as they are; None when no part is left.

    `mark` is the owner and hash of an exported service, which its entry's Meta holds.
    """
    listed = PARTS[key.kind]
    before = dict(entry or {"Kind": key.kind, "Name": key.name})
    parts = list(before.get(listed) or ())
    place = next((at for at, part in enumerate(parts) if part_name(key.kind, part) == key.part), None)
    if raw is None:
        parts = [part for part in parts if part_name(key.kind, part) != key.part]
    elif place is None:
        parts.append(dict(raw))
    else:
        parts[place] = dict(raw)
    if key.kind == "exported-services":
        before["Meta"] = _marked(before.get("Meta") or {}, key.part, mark)
    return {**before, listed: parts} if parts else None


def _marked(meta: Mapping[str, str], part: str, mark: tuple[str, str] | None) -> dict[str, str]:
    kept = {key: value for key, value in meta.items() if not key.endswith(f"/exports/{part}")}
    return kept if mark is None else {**kept, export_mark(mark[0]) + part: mark[1]}


def entries_of(state: Mapping[Key, Item]) -> list[Entry]:
    """Items put together again, for rules that look at whole entries; marks of shared ones are lost."""
    whole: list[Entry] = [dict(item.raw) for key, item in state.items() if key.kind not in PARTS]
    shared: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for key, item in state.items():
        if key.kind in PARTS:
            shared.setdefault((key.kind, key.name), []).append(item.raw)
    return [*whole, *({"Kind": kind, "Name": name, PARTS[kind]: parts} for (kind, name), parts in shared.items())]

"""
What is there against what should be: create, change, delete, and what stands in the way.

Owns what we may touch: what carries our mark. What is foreign and differs is a conflict, never a change; what is foreign and not in the
plan is not looked at. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from meshconfig.items import Item, Key

Action = Literal["create", "change", "delete", "conflict"]


@dataclass(frozen=True, slots=True)
class Change:
    """One item that differs. `details` are the fields, as `path: before -> after`."""

    action: Action
    key: Key
    before: Item | None
    after: Item | None
    details: tuple[str, ...] = ()


def changes(
    there: Mapping[Key, Item], asked: Mapping[Key, Item], owner: str, *, take_over: bool = False
) -> tuple[Change, ...]:
    """Sorted by kind and name. `take_over` makes changes of conflicts."""
    found = [*_written(there, asked, owner, take_over=take_over)]
    found += [
        Change("delete", key, item, None) for key, item in there.items() if item.owner == owner and key not in asked
    ]
    return tuple(sorted(found, key=lambda change: change.key))


def _written(there: Mapping[Key, Item], asked: Mapping[Key, Item], owner: str, *, take_over: bool) -> Iterator[Change]:
    for key, after in asked.items():
        before = there.get(key)
        if before is None:
            yield Change("create", key, None, after)
        elif before.body != after.body:
            mine = before.owner == owner or take_over
            yield Change(
                "change" if mine else "conflict", key, before, after, tuple(differences(before.body, after.body))
            )
        elif take_over and before.owner != owner:
            yield Change("change", key, before, after, (f"owner: {before.owner or 'nobody'} -> {owner}",))


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401  # JSON of any shape
    """Each field that differs, with its path and both values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            one, other = (side[at] if at < len(side) else None for side in (before, after))
            yield from differences(one, other, f"{path}[{at}]")
    elif before != after:
        yield f"{path}: {_word(before)} -> {_word(after)}"


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_word(inner)}" for key, inner in sorted(value.items())) + "}"
    return f"[{', '.join(map(_word, value))}]" if isinstance(value, list) else str(value)


def outcome(there: Mapping[Key, Item], made: Iterable[Change]) -> dict[Key, Item]:
    """What is there once the changes are made; conflicts stay as they are."""
    after = dict(there)
    for change in made:
        if change.action == "delete":
            after.pop(change.key, None)
        elif change.action != "conflict" and change.after is not None:
            after[change.key] = change.after
    return after

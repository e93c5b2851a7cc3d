"""
Reading plain data whose shape is not yet known to be right.

Owns the defensive access the checks share: a value of another type than asked for counts as absent, because the schema
reports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from edge.config.document import Data, Loc, Unsubstituted

Section = dict[str, Data]


def section(data: Data, key: str) -> Section:
    """The mapping under `key`, empty when there is none."""
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def items(data: Data, key: str) -> list[Data]:
    """The list under `key`, empty when there is none."""
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def text(data: Data, key: str) -> str | None:
    """The text under `key`, None when there is none, it is empty or it is not known."""
    found = data.get(key) if isinstance(data, dict) else None
    return found if is_known(found) and found else None


def is_known(value: Data) -> TypeGuard[str]:
    """Whether a value is text without a reference that failed."""
    return isinstance(value, str) and not isinstance(value, Unsubstituted)


def listed(data: Data, key: str) -> Iterator[tuple[Loc, Section]]:
    """Each mapping in the list under `key`, with its place."""
    for index, item in enumerate(items(data, key)):
        if isinstance(item, dict):
            yield (key, index), item


def named(data: Data, key: str) -> Iterator[tuple[Loc, Section]]:
    """Each mapping in the mapping under `key`, with its place."""
    for name, item in section(data, key).items():
        if isinstance(item, dict):
            yield (key, name), item

"""
What of a Kubernetes object one field manager owns, as the manifest that would own just that.

Owns the reading of `managedFields` (fieldsV1): applied again by the same manager, what comes out puts its fields back to these values and
gives up every field it has taken since. Pure. Source: sigs.k8s.io/structured-merge-diff (fieldpath/serialize-pe.go).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Manifest = Mapping[str, Any]
_SELF = "."
_IDENTITY = ("apiVersion", "kind")


def owned(live: Manifest, manager: str) -> dict[str, Any]:
    """The manifest of what `manager` has applied of a live object; only its name where that is nothing."""
    found: dict[str, Any] = {}
    for entry in live["metadata"].get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            found = merged(found, _cut(live, entry.get("fieldsV1") or {}))
    return named(live, found)


def named(live: Manifest, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with the identity of an object."""
    identity = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key not in identity}
    return {**{key: live[key] for key in _IDENTITY}, **body, "metadata": {**identity, **metadata}}


def merged(one: Any, other: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """Both; of two lists or values, the other."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {
            key: merged(one[key], other[key]) if key in one and key in other else other.get(key, one.get(key))
            for key in {**one, **other}
        }
    return other


def _cut(value: Any, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401  # as above
    """What of a value these fields name; a field without fields of its own is owned whole."""
    inner = {name: each for name, each in fields.items() if name != _SELF}
    if isinstance(value, Mapping):
        names = {name.removeprefix("f:"): each for name, each in inner.items() if name.startswith("f:")}
        return {name: _cut(value[name], each) if each else value[name] for name, each in names.items() if name in value}
    if isinstance(value, list) and inner:
        return [cut for item in value for cut in _items(item, inner)]
    return value


def _items(item: Any, fields: Mapping[str, Any]) -> list[Any]:  # noqa: ANN401  # as above
    """The item of a list as far as it is owned: by its keys (`k:`), or as a member of a set (`v:`)."""
    for name, inner in fields.items():
        kind, _, text = name.partition(":")
        if kind == "v" and json.loads(text) == item:
            return [item]
        if kind == "k" and isinstance(item, Mapping):
            keys = json.loads(text)
            if all(item.get(key) == value for key, value in keys.items()):
                return [{**keys, **_cut(item, inner)}]
    return []

"""
Kubernetes objects from a folder or a cluster's dump, compared with those the plan makes.

Owns what counts as the same: a cluster fills in defaults and its own bookkeeping, so that only what our object says is compared. Ours is
what carries our label. Pure but for reading the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from meshconfig import normal
from meshconfig.diff import Change, changes
from meshconfig.document import Document
from meshconfig.items import Entry, Item, Key
from meshconfig.ownership import owner_of_labels


class UnreadableError(Exception):
    """What was to be compared with is no policy file; the text says which and why."""


def wanted(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """The manifests among these documents."""
    return [dict(document.body) for document in documents if "apiVersion" in document.body]


def read_manifests(path: Path) -> list[dict[str, Any]]:
    """Of a file (several documents, or a List), or of every YAML file below a folder. Raises UnreadableError."""
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    found: list[dict[str, Any]] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                found += _flat(yaml.load_all(opened, Loader=yaml.CSafeLoader))
        except (OSError, yaml.YAMLError, ValueError) as error:
            raise UnreadableError(f"{file}: {error}") from None
    return [each for each in found if each["kind"] != "Kustomization"]


def read_entries(folder: Path) -> list[Entry]:
    """Consul's entries below a folder, as generate wrote them. Raises UnreadableError."""
    found: list[Entry] = []
    for file in sorted(folder.rglob("*.json")):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnreadableError(f"{file}: {error}") from None
        if isinstance(entry, dict) and {"Kind", "Name"} <= set(entry):
            found.append(entry)
    return found


def manifest_changes(
    there: Iterable[Mapping[str, Any]], asked: Iterable[Mapping[str, Any]], owner: str, *, take_over: bool = False
) -> tuple[Change, ...]:
    """As `diff.changes`; what the cluster has is cut to what ours says."""
    old, new = _items(there), _items(asked)
    cut = {
        key: Item(shaped(item.body, new[key].body), item.raw, item.owner) if key in new else item
        for key, item in old.items()
    }
    return changes(cut, new, owner, take_over=take_over)


def _flat(documents: Iterable[object]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or "kind" not in document:
            raise ValueError("holds what is no Kubernetes object")
        if "apiVersion" in document and str(document["kind"]).endswith("List"):
            yield from _flat(document.get("items") or ())
        elif "apiVersion" in document:
            yield document


def _items(manifests: Iterable[Mapping[str, Any]]) -> dict[Key, Item]:
    found = {}
    for manifest in manifests:
        metadata = manifest.get("metadata") or {}
        group = str(manifest["apiVersion"]).rpartition("/")[0]  # versions of one object are one object
        kind = f"{manifest['kind']}.{group}" if group else str(manifest["kind"])
        key = Key(kind, "/".join(filter(None, (metadata.get("namespace"), metadata.get("name")))))
        found[key] = Item(normal.manifest(manifest), manifest, owner_of_labels(metadata.get("labels") or {}))
    return found


def shaped(value: Any, shape: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """A value cut to what another one of the same kind says."""
    if isinstance(value, Mapping) and isinstance(shape, Mapping):
        return {key: shaped(value[key], shape[key]) for key in value if key in shape}
    if isinstance(value, list) and isinstance(shape, list) and len(value) == len(shape):
        return [shaped(one, other) for one, other in zip(value, shape, strict=True)]
    return value

"""
A cluster in memory: server-side apply with one list of fields a manager, versions, dry runs, refusals at will. The real one: tests/mesh.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

from meshconfig.cluster import MANAGER, ClusterError, Kind, Manifest
from meshconfig.managed_fields import merged


def fields_of(value: Any) -> dict[str, Any]:
    """Every leaf of a mapping, as fieldsV1; lists are owned whole."""
    return {f"f:{key}": fields_of(each) if isinstance(each, dict) else {} for key, each in value.items()}


class MemoryCluster:
    """`meshconfig.cluster.Cluster`. `refuse` raises for what is not to be taken: it is told of each write, dry or not."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.refuse: Callable[[Manifest, bool], None] = lambda manifest, dry_run: None
        self.calls: list[str] = []
        self._numbers = itertools.count(1)

    def read(self, manifest: Manifest) -> Manifest | None:
        return copy.deepcopy(self.held.get(_key(manifest)))

    def listed(self, kind: Kind, selector: str) -> list[Manifest]:
        parts = [text.partition("=") for text in selector.split(",") if text]
        wanted = {key: value for key, _, value in parts}
        return [
            copy.deepcopy(each)
            for each in self.held.values()
            if (each["apiVersion"], each["kind"]) == kind
            and wanted.items() <= (each["metadata"].get("labels") or {}).items()
        ]

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> Manifest:
        self._say("apply", manifest, dry_run=dry_run)
        self.refuse(manifest, dry_run)
        held = self.held.get(_key(manifest))
        mine = _body(manifest)
        owned = _owned(held, MANAGER)
        kept = _without(_body(held or {"metadata": {}}), owned)
        made: dict[str, Any] = merged(kept, copy.deepcopy(mine))
        meta: dict[str, Any] = held["metadata"] if held else {"uid": f"uid-{next(self._numbers)}"}
        others = [each for each in meta.get("managedFields", []) if each["manager"] != MANAGER]
        own = {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields_of(_named_out(mine))}
        made["metadata"] |= {
            "uid": meta["uid"],
            "managedFields": [*others, own],
            "resourceVersion": str(next(self._numbers)),
        }
        if not dry_run:
            self.held[_key(manifest)] = made
        return copy.deepcopy(made)

    def delete(self, live: Manifest, *, dry_run: bool) -> None:
        self._say("delete", live, dry_run=dry_run)
        self.refuse(live, dry_run)
        held = self.held.get(_key(live))
        if held is None:
            return
        if held["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            raise ClusterError("the object has been modified")
        if not dry_run:
            del self.held[_key(live)]

    def touch(self, manifest: Manifest, **spec: Any) -> None:
        """Another hand changes it."""
        held = self.held[_key(manifest)]
        held["spec"] = {**held.get("spec", {}), **spec}
        held["metadata"]["resourceVersion"] = str(next(self._numbers))

    def bodies(self) -> dict[str, Any]:
        """What is there, without what a cluster keeps about it."""
        return {name: _body(held) for (_, _, name), held in sorted(self.held.items())}

    def _say(self, what: str, manifest: Manifest, *, dry_run: bool) -> None:
        self.calls.append(f"{'try ' if dry_run else ''}{what} {manifest['kind']} {manifest['metadata']['name']}")


def _key(manifest: Manifest) -> tuple[str, str, str]:
    return manifest["kind"], manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _body(manifest: Manifest) -> dict[str, Any]:
    metadata = {k: v for k, v in manifest["metadata"].items() if k not in {"uid", "managedFields", "resourceVersion"}}
    return {
        **copy.deepcopy({k: v for k, v in manifest.items() if k != "metadata"}),
        "metadata": copy.deepcopy(metadata),
    }


def _named_out(body: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in body["metadata"].items() if key not in {"name", "namespace"}}
    return {**{k: v for k, v in body.items() if k not in {"apiVersion", "kind"}}, "metadata": metadata}


def _owned(held: Manifest | None, manager: str) -> dict[str, Any]:
    entries = [] if held is None else held["metadata"]["managedFields"]
    return next((each["fieldsV1"] for each in entries if each["manager"] == manager), {})


def _without(value: Any, fields: dict[str, Any]) -> Any:
    """A value without what these fields name."""
    if not isinstance(value, dict):
        return value
    found = {}
    for key, each in value.items():
        inner = fields.get(f"f:{key}")
        if inner is None:
            found[key] = each
        elif inner and (left := _without(each, inner)):
            found[key] = left
    return found

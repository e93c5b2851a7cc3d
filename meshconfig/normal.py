"""
An object as it compares: without what servers add, and with one spelling for what can be written in several.

Owns that a second plan shows no change. Terraform's permanent diffs on Consul's entries are what is missing here. Source: mesh.md 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshconfig.ownership import MARKS

SERVERS_OWN = {"CreateIndex", "ModifyIndex", "Hash", "Status"}
_DURATIONS = {
    "ConnectTimeout",
    "RequestTimeout",
    "IdleTimeout",
    "Interval",
    "BaseEjectionTime",
    "MaxAge",
    "CacheDuration",
}
_SOURCE_ADDED = {"Precedence", "Type", "LegacyID", "LegacyMeta", "LegacyCreateTime", "LegacyUpdateTime"}
_IN_DEFAULT = {"Namespace", "Partition"}
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
CLUSTERS_OWN = {
    "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences", "finalizers",
}  # fmt: skip
_APPLIERS = "kubectl.kubernetes.io/last-applied-configuration"


def consul_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A config entry without our marks."""
    kept = {key: value for key, value in entry.items() if key not in SERVERS_OWN and key != "Meta"}
    if entry.get("Kind") == "service-intentions":
        kept["Sources"] = sorted((source(each) for each in entry.get("Sources") or ()), key=source_key)
    if meta := {key: value for key, value in (entry.get("Meta") or {}).items() if key not in MARKS}:
        kept["Meta"] = meta
    found: dict[str, Any] = _value("", kept) or {}
    return found


def source(given: Mapping[str, Any]) -> dict[str, Any]:
    """A source of an intention."""
    found: dict[str, Any] = _value("", {key: value for key, value in given.items() if key not in _SOURCE_ADDED})
    return found


def source_key(given: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells the sources of one entry apart."""
    parts = ("Name", "Peer", "SamenessGroup", "Namespace", "Partition")
    return tuple(
        "" if part in _IN_DEFAULT and given.get(part) == "default" else str(given.get(part) or "") for part in parts
    )


def manifest(given: Mapping[str, Any]) -> dict[str, Any]:
    """A Kubernetes object without what the cluster writes and without our marks."""
    metadata = {key: value for key, value in (given.get("metadata") or {}).items() if key not in CLUSTERS_OWN}
    annotations = {
        key: value
        for key, value in (metadata.pop("annotations", None) or {}).items()
        if key != _APPLIERS and not (key.startswith("edge/") and key.removeprefix("edge/") in MARKS)
    }
    if annotations:
        metadata["annotations"] = annotations
    body = {key: value for key, value in given.items() if key not in {"status", "metadata"}}
    found: dict[str, Any] = {**_without_null(body), "metadata": metadata}
    return found


def _without_null(value: Any) -> Any:  # noqa: ANN401  # JSON of any shape
    """Only null means absent there: a cluster keeps false, zero and the empty list, which may mean something."""
    if isinstance(value, Mapping):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list | tuple) else value


def _value(key: str, value: Any) -> Any:  # noqa: ANN401  # as above
    """Zero values are dropped: Consul writes them out, or not, from one version to the next."""
    if isinstance(value, Mapping):
        inner = {name: _value(name, each) for name, each in value.items()}
        return {
            name: each
            for name, each in inner.items()
            if each not in (None, "", 0, False, [], {}) and not (name in _IN_DEFAULT and each == "default")
        }
    if isinstance(value, list | tuple):
        listed = [_value("", each) for each in value]
        return sorted(method.upper() for method in listed) if key == "Methods" else listed
    if isinstance(value, str):
        return _text(key, value)
    return int(value) if isinstance(value, float) and value == int(value) else value


def _text(key: str, value: str) -> str:
    if key == "Protocol":
        return value.lower()
    if key in _DURATIONS and (parts := _DURATION.findall(value)) and "".join(map("".join, parts)) == value:
        return f"{sum(float(number) * _UNIT_S[unit] for number, unit in parts):g}s"
    return value

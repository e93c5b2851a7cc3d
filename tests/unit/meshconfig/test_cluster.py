"""Manifests put into a cluster: all, or none."""

from __future__ import annotations

from typing import Any

import pytest

from meshconfig.cluster import ClusterError, Manifest, Refusal, apply_all


class Recorded:
    """A cluster that refuses some objects."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.calls = refused, list[tuple[str, bool, bool]]()

    def apply(self, manifest: Manifest, *, dry_run: bool, force: bool) -> None:
        self.calls.append((manifest["metadata"]["name"], dry_run, force))
        if manifest["metadata"]["name"] in self.refused:
            raise ClusterError("no")


def manifest(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "n"}}


def test_everything_is_tried_before_anything_is_written() -> None:
    """In order, both times."""
    cluster, told = Recorded(), list[str]()
    assert apply_all(cluster, [manifest("a"), manifest("b")], force=True, told=told.append) == ()
    assert cluster.calls == [("a", True, True), ("b", True, True), ("a", False, True), ("b", False, True)]
    assert told == ["applied: Service n/a", "applied: Service n/b"]


def test_one_refusal_and_nothing_is_written() -> None:
    """Every refusal is told."""
    cluster = Recorded("a", "c")
    found = apply_all(cluster, map(manifest, "abc"), force=False, told=pytest.fail)
    assert found == (Refusal("Service n/a", "no"), Refusal("Service n/c", "no"))
    assert all(dry_run for _, dry_run, _ in cluster.calls)

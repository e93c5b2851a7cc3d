"""Kubernetes objects of a folder or a dump."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshconfig.manifests import UnreadableError, manifest_changes, read_entries, read_manifests

LABELS = {"app.kubernetes.io/managed-by": "edge", "edge/gateway": "edge"}


def server(name: str = "s", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n", "labels": LABELS if labels is None else labels}
    return {
        "apiVersion": "policy.linkerd.io/v1beta3",
        "kind": "Server",
        "metadata": metadata,
        "spec": {"port": 1, **spec},
    }


def found(there: list[dict[str, Any]], asked: list[dict[str, Any]]) -> list[str]:
    return [f"{change.action} {change.key}" for change in manifest_changes(there, asked, "edge:edge")]


def test_what_the_cluster_fills_in_is_no_difference() -> None:
    """Nor is another version of the same object."""
    live = server(accessPolicy="deny")
    live["metadata"] |= {"uid": "1", "resourceVersion": "2"}
    live |= {"status": {}, "apiVersion": "policy.linkerd.io/v1beta3"}
    assert found([live], [server()]) == []
    assert found([live], [server(accessPolicy="audit")]) == ["change Server.policy.linkerd.io/n/s"]


def test_a_list_that_grew_is_a_difference() -> None:
    """A path more is an allowance more."""
    assert found([server(paths=["/a", "/b"])], [server(paths=["/a"])]) == ["change Server.policy.linkerd.io/n/s"]


def test_only_what_is_ours_is_deleted_or_changed() -> None:
    """Another gateway's and nobody's stay."""
    foreign, other = server("f", {}), server("o", {**LABELS, "edge/gateway": "other"})
    assert found([foreign, other, server("old")], []) == ["delete Server.policy.linkerd.io/n/old"]
    assert found([foreign], [server("f", port=2)]) == ["conflict Server.policy.linkerd.io/n/f"]


def test_a_dump_and_a_folder(tmp_path: Path) -> None:
    """Lists are taken apart, kustomizations are left out."""
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n"
    )
    (tmp_path / "b.yaml").write_text("---\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n")
    (tmp_path / "kustomization.yaml").write_text("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")
    (tmp_path / "c.json").write_text('{"Kind": "service-defaults", "Name": "x"}')
    assert [each["kind"] for each in read_manifests(tmp_path)] == ["A", "B"]
    assert read_entries(tmp_path) == [{"Kind": "service-defaults", "Name": "x"}]


@pytest.mark.parametrize("text", ["just text", "a: [", "- 1"])
def test_what_is_no_manifest_is_told(text: str, tmp_path: Path) -> None:
    """With its file."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=r"x\.yaml"):
        read_manifests(path)

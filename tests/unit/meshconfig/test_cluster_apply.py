"""Changes put into a cluster: all of them, or none; against a double in memory. The real API server: tests/mesh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshconfig.cluster import ClusterError, Manifest
from meshconfig.cluster_apply import HalfAppliedError, Refusal, apply, former, roll_back, steps, tried
from meshconfig.diff import Change
from meshconfig.journal import Journal
from meshconfig.manifests import manifest_changes
from tests.unit.meshconfig.cluster_double import MemoryCluster

OWNER = "edge:edge"
MARKS = {"app.kubernetes.io/managed-by": "edge", "edge/gateway": "edge"}


def manifest(name: str, kind: str = "Service", *, marked: bool = True, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n"} | ({"labels": MARKS} if marked else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}


def changes(cluster: MemoryCluster, *asked: Manifest, take_over: bool = False) -> tuple[Change, ...]:
    return manifest_changes(list(cluster.held.values()), asked, OWNER, take_over=take_over)


def refusing(*names: str, dry: bool = False) -> Callable[[Manifest, bool], None]:
    """Refuse these once, in earnest or in the dry run."""
    left = set(names)

    def refuse(manifest: Manifest, dry_run: bool) -> None:
        if manifest["metadata"]["name"] in left and dry_run is dry:
            left.discard(manifest["metadata"]["name"])
            raise ClusterError("no")

    return refuse


@pytest.fixture
def cluster() -> MemoryCluster:
    """With three objects of ours and one of somebody else's."""
    made = MemoryCluster()
    for name in ("kept", "changed", "left-over"):
        made.apply(manifest(name, port=1), dry_run=False, force=False)
    made.apply(manifest("foreign", marked=False, port=9), dry_run=False, force=False)
    made.calls.clear()
    return made


ASKED = (manifest("kept", port=1), manifest("changed", port=2), manifest("new", port=3))


def test_everything_is_tried_before_anything_is_written(cluster: MemoryCluster) -> None:
    """Every refusal is told; a dry run leaves everything as it is."""
    before = cluster.bodies()
    assert tried(cluster, changes(cluster, *ASKED), force=False) == ()
    cluster.refuse = refusing("new", "left-over", dry=True)
    refused = tried(cluster, changes(cluster, *ASKED), force=False)
    assert refused == (Refusal("Service n/new", "no"), Refusal("Service n/left-over", "no"))
    assert all(call.startswith("try ") for call in cluster.calls)
    assert cluster.bodies() == before


def test_what_differs_is_written_and_nothing_else(cluster: MemoryCluster, tmp_path: Path) -> None:
    """A second time nothing differs."""
    told = list[str]()
    journal = Journal.begin(tmp_path / "journal")
    assert apply(cluster, changes(cluster, *ASKED), journal, told.append, force=False) == 3
    assert told == ["changed: Service n/changed", "created: Service n/new", "deleted: Service n/left-over"]
    assert not (tmp_path / "journal").exists()
    assert sorted(cluster.bodies()) == ["changed", "foreign", "kept", "new"]
    assert changes(cluster, *ASKED) == ()


@pytest.mark.parametrize("failing", ["changed", "new", "left-over"])
def test_one_write_fails_and_everything_is_as_before(cluster: MemoryCluster, tmp_path: Path, failing: str) -> None:
    """Whichever it is."""
    before = cluster.bodies()
    cluster.refuse = refusing(failing)
    with pytest.raises(HalfAppliedError, match=f"Service n/{failing}: no") as error:
        apply(cluster, changes(cluster, *ASKED), Journal.begin(tmp_path / "journal"), lambda _: None, force=False)
    assert error.value.kept == ()
    assert cluster.bodies() == before
    assert not (tmp_path / "journal").exists()


def test_what_somebody_has_changed_since_is_left(cluster: MemoryCluster, tmp_path: Path) -> None:
    """And named; the rest is undone."""
    told = list[str]()

    def refuse(manifest: Manifest, dry_run: bool) -> None:
        if manifest["metadata"]["name"] == "new":
            cluster.touch(ASKED[1], port=77)
            raise ClusterError("no")

    cluster.refuse = refuse
    with pytest.raises(HalfAppliedError) as error:
        apply(cluster, changes(cluster, *ASKED), Journal.begin(tmp_path / "journal"), told.append, force=False)
    assert error.value.kept == ("Service n/changed",)
    assert "not undone, somebody has changed it since: Service n/changed" in told
    assert cluster.bodies()["changed"]["spec"] == {"port": 77}


def test_a_process_that_died_is_undone_by_its_journal(cluster: MemoryCluster, tmp_path: Path) -> None:
    """Between any two of its writes, and when it had written all but not said so."""
    before = cluster.bodies()
    found = changes(cluster, *ASKED)
    for made in range(len(found) + 1):
        journal = Journal.begin(tmp_path / "journal")
        for change in steps(found)[:made]:
            journal.note(change.key, change.before, change.after)
            if change.after is not None:
                cluster.apply(change.after.raw, dry_run=False, force=False)
            elif change.before is not None:
                cluster.delete(change.before.raw, dry_run=False)
        if made < len(found):  # noted and never made
            change = steps(found)[made]
            journal.note(change.key, change.before, change.after)
        assert roll_back(cluster, Journal(tmp_path / "journal"), lambda _: None) == ()
        assert cluster.bodies() == before
        found = changes(cluster, *ASKED)


def test_what_denies_is_written_last_and_removed_first() -> None:
    """Nobody is shut out before what lets him in stands."""
    cluster = MemoryCluster()
    kinds = ("Server", "AuthorizationPolicy", "NetworkPolicy", "VirtualService")
    asked = [manifest(kind.lower(), kind) for kind in kinds]
    written = [change.key.kind for change in steps(changes(cluster, *asked))]
    assert [kind in {"Server", "NetworkPolicy"} for kind in written] == [False, False, True, True]
    for each in asked:
        cluster.apply(each, dry_run=False, force=False)
    removed = [change.key.kind for change in steps(changes(cluster))]
    assert [kind in {"Server", "NetworkPolicy"} for kind in removed] == [True, True, False, False]


def test_conflicts_are_no_steps(cluster: MemoryCluster) -> None:
    """They are for the operator to settle."""
    found = changes(cluster, *ASKED, manifest("foreign", port=10))
    assert [change.action for change in found if change.key.name == "n/foreign"] == ["conflict"]
    assert all(change.key.name != "n/foreign" for change in steps(found))


def test_a_field_taken_from_somebody_gets_its_old_value_back() -> None:
    """What was ours comes back, what was never there goes, what was somebody's has his value again."""
    before = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "s",
            "namespace": "n",
            "managedFields": [
                {"manager": "edge", "operation": "Apply", "fieldsV1": {"f:spec": {"f:ours": {}, "f:dropped": {}}}},
                {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:theirs": {}, "f:else": {}}}},
            ],
        },
        "spec": {"ours": 1, "dropped": 2, "theirs": 3, "else": 4},
    }
    after = {**before, "spec": {"ours": 10, "theirs": 30, "new": 50}}
    assert former(before, after)["spec"] == {"ours": 1, "dropped": 2, "theirs": 3}

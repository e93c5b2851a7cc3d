"""What of a cluster a comparison is made with."""

from __future__ import annotations

from typing import Any

from meshconfig.cluster import OTHERS, POLICIES, Kind, name_of, state
from meshconfig.document import Options
from meshconfig.ownership import labels
from meshconfig.targets import RENDERERS
from tests.mesh.cases import NAMES, case
from tests.unit.meshconfig.cluster_double import MemoryCluster
from tests.unit.meshconfig.plans import plan_of


def manifest(kind: Kind, name: str, marks: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": kind.version,
        "kind": kind.name,
        "metadata": {"name": name, "namespace": "n", "labels": marks or {}},
    }


def test_everybodys_policies_but_only_our_other_objects() -> None:
    """And of others what bears the name of something asked for."""
    cluster, plan = MemoryCluster(), plan_of()
    server, service = POLICIES[0], Kind("v1", "Service")
    for kind in (server, service):
        for name, marks in (("ours", labels(plan)), ("theirs", {}), ("asked", {})):
            cluster.apply(manifest(kind, name, marks), dry_run=False, force=False)
    found = state(cluster, plan, [manifest(service, "asked"), manifest(service, "absent")])
    assert sorted(map(name_of, found)) == [
        "Server n/asked", "Server n/ours", "Server n/theirs", "Service n/asked", "Service n/ours",
    ]  # fmt: skip


def test_every_kind_that_is_ever_generated_is_looked_at() -> None:
    """Else what is left over of it would never be found."""
    made = {
        Kind(each.body["apiVersion"], each.body["kind"])
        for name in NAMES
        for render in RENDERERS.values()
        for each in render(case(name).plan, Options(deploy=True))
        if "apiVersion" in each.body
    }
    assert made <= {*POLICIES, *OTHERS}

"""What an upstream's section asks of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.app.cluster import slice_discovery
from edge.core.endpoint_slices import PodQuery
from edge.kubernetes.api import ClusterAccess
from tests.unit.app.configs import config


@pytest.mark.parametrize(
    ("section", "query"),
    [
        ({}, PodQuery()),
        ({"port": "grpc", "zone": "a"}, PodQuery("grpc", "a")),
        ({"port": 50051, "family": "ipv6"}, PodQuery("50051", None, "IPv6")),
        ({"family": "ipv4"}, PodQuery(family="IPv4")),
    ],
)
def test_the_question(section: dict[str, Any], query: PodQuery, tmp_path: Path) -> None:
    loaded = config(tmp_path, upstreams={"shop": {"kubernetes": {"service": "books", **section}}})
    given = loaded.upstreams["shop"].kubernetes
    assert given is not None
    found = slice_discovery(loaded, given)
    assert found._where == (ClusterAccess(), "default", "books")
    assert found._watch._query == query


def test_the_cluster(tmp_path: Path) -> None:
    """Relative to the configuration's folder."""
    (tmp_path / "k.yaml").write_text("")
    cluster = {"kubeconfig": "k.yaml", "context": "prod"}
    loaded = config(
        tmp_path, upstreams={"shop": {"kubernetes": {"service": "books", "namespace": "n"}}}, kubernetes=cluster
    )
    given = loaded.upstreams["shop"].kubernetes
    assert given is not None
    assert slice_discovery(loaded, given)._where == (ClusterAccess(str(tmp_path / "k.yaml"), "prod"), "n", "books")

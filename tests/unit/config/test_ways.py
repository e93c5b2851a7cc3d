"""What a split and a failover come to: tiers of ways, and the pools that takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.config.models import Config
from edge.config.ways import Way, Ways, pooled, ways_of
from tests.unit.app.configs import config

CONSUL = {"address": "http://127.0.0.1:8500"}
SPLIT = {"subsets": {"v1": {"labels": {"version": "1"}, "weight": 90}, "v2": {"upstream": "b", "weight": 10}}}
SERVICE = {"namespace": "shop", "selector": {"app": "shop"}, "port": 1}


def loaded(folder: Path, shop: dict[str, Any], **top: Any) -> Config:
    upstreams = {"shop": {"consul": {"service": "shop", "dial": "plain"}, **shop}, "b": {"endpoints": ["b:1"]}}
    return config(folder, consul=CONSUL, upstreams=upstreams, **top)


def test_one_way_is_none(tmp_path: Path) -> None:
    """Nothing is chosen, and the pool is the upstream's own section."""
    given = loaded(tmp_path, {})
    assert ways_of(given, "shop") is None
    assert pooled(given) == given.upstreams


def test_a_split_then_a_failover(tmp_path: Path) -> None:
    """Subsets are the first tier, then datacenters, then upstreams, each a tier of its own."""
    failover = {"datacenters": ["dc2"], "upstreams": ["b"]}
    given = loaded(tmp_path, {"split": {"sticky": "x-user", **SPLIT}, "failover": failover})
    assert ways_of(given, "shop") == Ways(
        (
            (Way("shop/v1", "shop/v1", 90.0), Way("b", "b", 10.0, is_pool=False)),
            (Way("shop@dc2", "shop@dc2"),),
            (Way("b", "b", is_pool=False),),
        ),
        "x-user",
    )
    assert ways_of(given, "b") is None


def test_the_upstream_as_it_stands_is_a_subset_too(tmp_path: Path) -> None:
    """A canary beside a service that nothing marks."""
    subsets = {"stable": {"weight": 95}, "canary": {"upstream": "b", "weight": 5}}
    found = ways_of(loaded(tmp_path, {"split": {"subsets": subsets}}), "shop")
    assert found is not None
    assert found.tiers[0] == (Way("shop/stable", "shop", 95.0), Way("b", "b", 5.0, is_pool=False))
    assert found.upstreams == ("b",)


def test_pools_of_subsets_and_datacenters(tmp_path: Path) -> None:
    """The upstream's section, narrowed; a filter of its own stays."""
    shop = {"split": SPLIT, "failover": {"datacenters": ["dc2"]}}
    shop["consul"] = {"service": "shop", "dial": "plain", "filter": 'Node.Node == "n" or Node.Node == "m"'}
    found = pooled(loaded(tmp_path, shop))
    assert set(found) == {"shop", "shop/v1", "shop@dc2", "b"}
    assert found["shop/v1"].consul is not None
    assert found["shop/v1"].consul.filter == ('(Node.Node == "n" or Node.Node == "m") and Service.Meta.version == "1"')
    assert found["shop@dc2"].consul is not None
    assert found["shop@dc2"].consul.datacenter == "dc2"


def test_another_split_is_the_same_pool(tmp_path: Path) -> None:
    """So that a reload that shifts weights keeps warm connections."""
    one = pooled(loaded(tmp_path, {"split": SPLIT}))
    subsets = {"v1": {**SPLIT["subsets"]["v1"], "weight": 50}, "v2": {**SPLIT["subsets"]["v2"], "weight": 50}}
    assert one == pooled(loaded(tmp_path, {"split": {"subsets": subsets}}))


def test_by_edge_in_the_mesh_section_is_the_same(tmp_path: Path) -> None:
    """`by: mesh` is not the gateway's affair."""
    asked = {by: loaded(tmp_path, {}, mesh=mesh(by)) for by in ("edge", "mesh")}
    assert ways_of(asked["edge"], "shop") == ways_of(loaded(tmp_path, {"split": VERSIONS, "failover": DC2}), "shop")
    assert ways_of(asked["mesh"], "shop") is None


VERSIONS = {"subsets": {"v1": {"labels": {"version": "1"}, "weight": 100}}}
DC2 = {"datacenters": ["dc2"]}


def mesh(by: str) -> dict[str, Any]:
    service = {**SERVICE, "split": {"by": by, **VERSIONS}, "failover": {"by": by, **DC2}}
    return {"targets": ["istio"], "services": {"shop": service}}

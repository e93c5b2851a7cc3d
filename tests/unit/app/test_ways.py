"""Upstreams made of pools, and when one of them cannot serve. Calls through a whole gateway: tests/resilience/test_ways.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.app.pools import make_pools
from edge.app.ways import routed, unserved
from edge.config.models import Config
from edge.upstream.pool import Pool
from edge.upstream.routed import RoutedUpstream
from tests.unit.app.configs import config

A, B, C = ({"endpoints": [f"127.0.0.1:{port}"]} for port in (1, 2, 3))


def loaded(folder: Path, shop: dict[str, Any], **upstreams: Any) -> Config:
    return config(folder, upstreams={"shop": {**A, **shop}, **upstreams})


async def test_one_way_is_the_pool_itself(tmp_path: Path) -> None:
    """Nothing stands between a call and it."""
    given = loaded(tmp_path, {"failover": {"upstreams": ["b"]}}, b=B)
    pools = {name: pool for name, (_, pool) in make_pools(given, {}).items()}
    made = routed(given, pools, {})
    assert made["b"] is pools["b"]
    assert isinstance(made["shop"], RoutedUpstream)


async def test_what_stands_in_may_have_ways_itself_in_any_order(tmp_path: Path) -> None:
    """Each upstream is made once, whoever names it; counts are those of the upstream, over reloads."""
    given = loaded(tmp_path, {"failover": {"upstreams": ["b"]}}, b={**B, "failover": {"upstreams": ["c"]}}, c=C)
    pools = {name: pool for name, (_, pool) in make_pools(given, {}).items()}
    calls: dict[str, dict[str, int]] = {}
    for turn in (1, 2):
        made = routed(given, pools, calls)
        shop, b = made["shop"], made["b"]
        assert isinstance(shop, RoutedUpstream)
        assert isinstance(b, RoutedUpstream)
        assert [way.destination for tier in shop._tiers for way in tier] == [pools["shop"], b]
        shop.next([], None, None)
        assert calls == {"shop": {"shop": turn}, "b": {}}
        assert isinstance(pools["c"], Pool)


def test_an_upstream_serves_while_a_way_of_it_does(tmp_path: Path) -> None:
    """And what only stands in for others is no reason not to be ready."""
    given = loaded(tmp_path, {"failover": {"upstreams": ["b"]}}, b=B)
    assert unserved(given, {}) == {}
    assert unserved(given, {"shop": "gone"}) == {}
    assert unserved(given, {"b": "gone"}) == {}
    assert unserved(given, {"shop": "gone", "b": "gone, too"}) == {"shop": "gone"}
    assert unserved(loaded(tmp_path, {}), {"shop": "gone"}) == {"shop": "gone"}
    assert unserved(loaded(tmp_path, {}), {"elsewhere": "gone"}) == {}

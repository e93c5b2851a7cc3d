"""The metrics of ways: counted once each, over reloads too."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from edge.app.ways_metrics import WaysMetrics, several_ways
from edge.upstream.call import Upstream
from edge.upstream.routed import RoutedUpstream, Way
from tests.unit.upstream.services import pool_to
from tests.unit.upstream.test_routed import Told


async def test_calls_and_reach_of_each_way() -> None:
    """A reload takes the counts along; what it takes away is unreachable, not counted anew."""
    registry = CollectorRegistry()
    a, b = Told(), Told(reached=False)
    calls: dict[str, int] = {}
    upstreams: dict[str, Upstream] = {
        "shop": RoutedUpstream("shop", [[Way("a", 50, a), Way("b", 50, b)]], "", calls),
        "x": pool_to(1),
    }
    metrics = WaysMetrics(registry, lambda: upstreams)

    def value(name: str, way: str) -> float | None:
        return registry.get_sample_value(f"edge_upstream_way_{name}", {"upstream": "shop", "way": way})

    assert list(several_ways(upstreams)) == [upstreams["shop"]]
    calls |= {"a": 3, "b": 1}
    metrics.publish()
    metrics.publish()
    assert (value("calls_total", "a"), value("calls_total", "b")) == (3, 1)
    assert (value("reachable", "a"), value("reachable", "b")) == (1, 0)
    upstreams["shop"] = RoutedUpstream("shop", [[Way("b", 100, b)]], "", calls)
    calls["b"] = 5
    metrics.publish()
    assert (value("calls_total", "a"), value("calls_total", "b")) == (3, 5)
    assert value("reachable", "a") == 0

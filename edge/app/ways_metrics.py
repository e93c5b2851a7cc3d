"""
What is told in metrics of upstreams with several ways: how many calls took each, and whether it can be reached.

Owns these names. Labels are the file's upstreams and their ways, a closed set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from edge.upstream.call import Upstream
from edge.upstream.routed import RoutedUpstream


class WaysMetrics:
    """The metrics of one worker."""

    def __init__(self, registry: CollectorRegistry, upstreams: Callable[[], Mapping[str, Upstream]]) -> None:
        self._upstreams = upstreams
        labels = ("upstream", "way")
        self._calls = Counter("edge_upstream_way_calls", "Calls begun on a way", labels, registry=registry)
        self._reachable = Gauge(
            "edge_upstream_way_reachable",
            "1 while calls can take the way",
            labels,
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._told: dict[tuple[str, str], int] = {}

    def publish(self) -> None:
        """Carry the counts over; nothing where every upstream has one way."""
        gone = set(self._told)
        for upstream in several_ways(self._upstreams()):
            for way in upstream.state().ways:
                labels = (upstream.name, way.way)
                self._calls.labels(*labels).inc(way.calls - self._told.get(labels, 0))
                self._reachable.labels(*labels).set(way.reachable)
                self._told[labels] = way.calls
                gone.discard(labels)
        for labels in gone:
            self._reachable.labels(*labels).set(0)


def several_ways(upstreams: Mapping[str, Upstream]) -> Iterable[RoutedUpstream]:
    """Those of these upstreams that have several ways."""
    return (each for each in upstreams.values() if isinstance(each, RoutedUpstream))

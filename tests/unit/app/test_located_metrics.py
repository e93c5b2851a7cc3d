"""The gauges of discovery and identity: set from their state, and 0 for what is followed no longer."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from edge.app.located_metrics import LocatedMetrics
from edge.app.locating import Locating
from edge.core.slice_watch import WatchAlarm
from edge.kubernetes.discovery import SliceDiscovery
from edge.upstream.pool import Pool
from tests.consul.scenes import until
from tests.unit.app.configs import config
from tests.unit.app.test_locating import BY_ID, STRICT, given, nobody
from tests.unit.upstream.services import plan


async def test_what_is_followed_and_what_is_not_any_more(tmp_path: Path) -> None:
    registry, locating = CollectorRegistry(), Locating()
    metrics = LocatedMetrics(registry, locating)
    metrics.publish()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"edge_{name}", {"upstream": "shop", **labels})

    pools = {"shop": Pool("shop", [], plan())}
    await locating.follow(given(tmp_path, STRICT), pools, nobody)
    found = locating.located["shop"]
    await until(lambda: found.fault() is None, "the addresses of localhost")
    metrics.publish()
    assert (value("discovery_endpoints") or 0) >= 1
    assert (value("discovery_ready"), value("discovery_failing")) == (1, 0)
    (tmp_path / "none.yaml").write_text("{}")
    kubernetes = given(tmp_path, {"kubernetes": {"service": "a"}}, kubernetes={"kubeconfig": "none.yaml"})
    await locating.follow(kubernetes, pools, nobody)
    watched = locating.located["shop"].source
    assert isinstance(watched, SliceDiscovery)
    await until(lambda: watched.state().alarm, "no cluster in an empty file")
    metrics.publish()
    assert value("kubernetes_alarm", alarm=WatchAlarm.UNREACHABLE.value) == 1
    assert (value("discovery_endpoints"), value("discovery_ready")) == (0, 0)
    await locating.follow(config(tmp_path), pools, nobody)
    metrics.publish()
    assert value("kubernetes_alarm", alarm=WatchAlarm.UNREACHABLE.value) == 0
    await pools["shop"].close(0)
    await locating.close()


async def test_our_certificate(tmp_path: Path) -> None:
    """0 while there is none, and the fault."""
    registry, locating = CollectorRegistry(), Locating()
    section = {"workload_api": {"socket": f"unix://{tmp_path}/none.sock"}}
    pools = {"shop": Pool("shop", [], plan())}
    await locating.follow(given(tmp_path, BY_ID, identity=section), pools, nobody)
    source = locating.presents
    assert source is not None
    await until(source.fault, "no agent")
    LocatedMetrics(registry, locating).publish()
    assert registry.get_sample_value("edge_identity_not_after_seconds") == 0
    assert registry.get_sample_value("edge_identity_fault") == 1
    await pools["shop"].close(0)
    await locating.close()

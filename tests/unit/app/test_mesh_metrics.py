"""The gauges of the mesh: set from its state, and 0 for what is followed no longer."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from edge.app.mesh import Mesh
from edge.app.mesh_metrics import MeshMetrics
from edge.upstream.pool import Pool
from tests.consul.scenes import asked, until
from tests.peers.consul_double import running_double
from tests.unit.app.configs import config
from tests.unit.app.test_mesh import given, made
from tests.unit.upstream.services import plan


async def test_what_is_followed_and_what_is_not_any_more(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    known: list[Mesh] = []
    metrics = MeshMetrics(registry, lambda: known[0] if known else None)
    metrics.publish()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"edge_{name}", labels)

    async with running_double() as double:
        await asked(double, "PUT", "/v1/agent/service/register", {"Name": "shop", "Port": 1, "Address": "127.0.0.1"})
        loaded = given(tmp_path, double)
        pool, mesh = Pool("shop", [], plan()), made(loaded)
        known.append(mesh)
        await mesh.follow(loaded, {"shop": pool})
        await until(lambda: mesh.followed["shop"].state().ready and not mesh.faults(), "all known")
        metrics.publish()
        assert value("consul_ready", upstream="shop") == 1
        assert value("consul_instances", upstream="shop") == 0, "no sidecar stands for it"
        assert value("consul_alarm", upstream="shop", alarm="unreachable") == 0
        assert (value("certificate_not_after_seconds") or 0) > 1e9
        assert value("certificate_fault") == 0
        await double.stop()
        await until(lambda: mesh.followed["shop"].state().alarm, "the alarm")
        metrics.publish()
        assert value("consul_alarm", upstream="shop", alarm="unreachable") == 1
        await mesh.follow(config(tmp_path), {"shop": pool})
        metrics.publish()
        assert value("consul_alarm", upstream="shop", alarm="unreachable") == 0
        assert value("consul_ready", upstream="shop") == 0
        await pool.close(0)
        await mesh.close()

"""What metrics tell of being called: nothing where nobody can call, and counts that are added once."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from edge.app.mesh_inbound import MeshInbound
from edge.app.mesh_inbound_metrics import MeshInboundMetrics
from edge.ingress.intention_gate import Verdict
from edge.ingress.visits import Ending
from tests.consul.scenes import until
from tests.unit.app.test_mesh_inbound import called


async def test_counts_and_gauges() -> None:
    """Published again, nothing is counted twice; what is known is told under our service's name."""
    registry, known = CollectorRegistry(), list[MeshInbound]()
    metrics = MeshInboundMetrics(registry, lambda: known[0] if known else None)
    metrics.publish()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"edge_{name}", labels)

    assert value("intentions_known", service="edge") is None, "no series where no listener serves the mesh"
    async with called(silent=False) as scene:
        known.append(scene.inbound)
        metrics.publish()
        assert value("intentions_known", service="edge") == 0
        await until(lambda: (found := scene.inbound.known()) and found.listed, "the intention")
        scene.inbound.verdicts[Verdict.DENIED] += 2
        scene.inbound.refused["handshake"] += 1
        scene.inbound.endings[Ending.AGE] += 1
        for _ in range(2):
            metrics.publish()
        scene.inbound.verdicts[Verdict.DENIED] += 1
        metrics.publish()
        assert value("intention_decisions_total", verdict="denied") == 3
        assert value("mesh_connections_refused_total", check="handshake") == 1
        assert value("mesh_connections_ended_total", reason="age") == 1
        assert value("intentions_known", service="edge") == value("intentions", service="edge") == 1
        assert value("intentions_default_allow", service="edge") == 1
        assert value("intentions_alarm", service="edge", alarm="unreachable") == 0

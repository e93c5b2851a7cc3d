"""The in-flight gauge goes up at admission and down at settlement."""

from __future__ import annotations

from edge.pipeline import Held, Pipeline
from edge.policies.count_in_flight import CountInFlight
from edge.telemetry.metrics import Metrics
from tests.unit.telemetry.exchanges import RPC, exchange


def in_flight(metrics: Metrics) -> float | None:
    metrics.publish()
    labels = {"api": "bookstore", "rpc": RPC.selector}
    return metrics.registry.get_sample_value("edge_requests_in_flight", labels)


def test_calls_are_counted_while_they_run() -> None:
    metrics = Metrics(engine="portable")
    pipeline = Pipeline([CountInFlight(metrics)])
    calls = [(exchange(), Held()) for _ in range(3)]
    for x, held in calls:
        assert pipeline.admit(x, held) is None
    assert in_flight(metrics) == 3
    for x, held in calls:
        x.target = None  # whatever becomes of the exchange, the same gauge goes down
        held.settle(x)
    assert in_flight(metrics) == 0

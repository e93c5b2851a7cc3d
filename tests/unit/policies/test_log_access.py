"""Every request that ends is reported once, admitted or not."""

from __future__ import annotations

import json
from pathlib import Path

from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline
from edge.policies.log_access import LogAccess
from edge.telemetry.access_log import AccessLog
from edge.telemetry.line_writer import LineWriter
from edge.telemetry.metrics import Metrics
from edge.telemetry.sink import Sink
from tests.unit.telemetry.exchanges import RPC, exchange

LABELS = {"api": "bookstore", "rpc": RPC.selector}


async def test_a_call_makes_one_line_and_is_counted_once(tmp_path: Path) -> None:
    metrics = Metrics(engine="portable")
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    log = LogAccess(metrics, AccessLog(writer), clock=lambda: 100.25)
    held = Pipeline([], observers=[log.observe]).open()
    x = exchange(started=100.0)
    held.settle(x)
    held.settle(x)
    await writer.close()
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert json.loads(line)["duration_ms"] == 250.0
    metrics.publish()
    assert metrics.registry.get_sample_value("edge_request_duration_seconds_sum", LABELS) == 0.25
    assert metrics.registry.get_sample_value("edge_request_duration_seconds_count", LABELS) == 1


def test_a_refusal_is_counted_by_its_fault_even_without_a_route_or_a_log() -> None:
    metrics = Metrics(engine="portable")
    log = LogAccess(metrics, None, clock=lambda: 101.0)
    log.observe(exchange(target=None, status=404, refusal=Refusal(Fault.ROUTE_NOT_FOUND)))
    metrics.publish()
    assert metrics.registry.get_sample_value("edge_faults_total", {"fault": "ROUTE_NOT_FOUND"}) == 1

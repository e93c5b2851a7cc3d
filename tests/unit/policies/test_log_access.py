"""Every request that ends is reported once, admitted or not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import structlog

from edge.outcome import Fault, Refusal
from edge.pipeline import Pipeline
from edge.policies.log_access import BATCH, DELAY_S, LogAccess
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
    metrics.publish()
    await writer.close()
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert json.loads(line)["duration_ms"] == 250.0
    assert metrics.registry.get_sample_value("edge_request_duration_seconds_sum", LABELS) == 0.25
    assert metrics.registry.get_sample_value("edge_request_duration_seconds_count", LABELS) == 1


async def test_a_refusal_is_counted_by_its_fault_even_without_a_route_or_a_log() -> None:
    metrics = Metrics(engine="portable")
    log = LogAccess(metrics, None, clock=lambda: 101.0)
    log.observe(exchange(target=None, status=404, refusal=Refusal(Fault.ROUTE_NOT_FOUND)))
    metrics.publish()
    assert metrics.registry.get_sample_value("edge_faults_total", {"fault": "ROUTE_NOT_FOUND"}) == 1


async def test_each_call_of_a_batch_is_counted_for_its_own_rpc() -> None:
    """With one that has none between two that do."""
    metrics = Metrics(engine="portable")
    log = LogAccess(metrics, None, clock=lambda: 101.0)
    for x in (exchange(), exchange(), exchange(target=None, status=404), exchange()):
        log.observe(x)
    metrics.publish()
    name = "edge_request_duration_seconds_count"
    assert metrics.registry.get_sample_value(name, LABELS) == 3
    assert metrics.registry.get_sample_value(name, {"api": "", "rpc": ""}) == 1


async def test_lines_wait_for_others_but_not_long(tmp_path: Path) -> None:
    """A batch is written when it is full, a part of one when its time has come; nothing is lost between."""
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    log = LogAccess(Metrics(engine="portable"), AccessLog(writer), clock=lambda: 100.0)
    for number in range(BATCH + 1):
        log.observe(exchange(request_id=f"id-{number}"))
    assert writer._accepted_bytes > 0
    await asyncio.sleep(DELAY_S * 3)
    await writer.close()
    written = [json.loads(line)["request_id"] for line in (tmp_path / "log").read_text().splitlines()]
    assert written == [f"id-{number}" for number in range(BATCH + 1)]


async def test_a_call_that_cannot_be_reported_costs_no_other_of_its_batch(tmp_path: Path) -> None:
    """A bug is told in the gateway's own log; the calls around it are counted and logged."""
    metrics = Metrics(engine="portable")
    writer = LineWriter(Sink(str(tmp_path / "log")), lambda _: None)
    log = LogAccess(metrics, AccessLog(writer), clock=lambda: 100.0)
    log.observe(exchange(request_id="before"))
    log.observe(exchange(request_id="broken", upstream_s="no number"))
    log.observe(exchange(request_id="after"))
    with structlog.testing.capture_logs() as told:
        log.report()
    await writer.close()
    written = [json.loads(line)["request_id"] for line in (tmp_path / "log").read_text().splitlines()]
    assert written == ["before", "after"]
    assert [(entry["event"], entry["request_id"]) for entry in told] == [
        ("a call could not be counted", "broken"),
        ("a call could not be logged", "broken"),
    ]
    metrics.publish()
    assert metrics.registry.get_sample_value("edge_upstream_duration_seconds_count", LABELS) == 2

"""Metrics as a scrape shows them, in one process."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge import __version__
from edge.outcome import Fault
from edge.telemetry import metrics as module
from edge.telemetry.metrics import Metrics
from tests.unit.telemetry.exchanges import exchange, route

LABELS = {"api": "bookstore", "rpc": "bookstore.v1.Bookstore.GetBook"}


async def scrape(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of a page."""
    _, text = await metrics.page("")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return (await scrape(metrics)).get((name, frozenset(labels.items())))


async def test_a_call_is_counted_by_api_rpc_dialect_code_and_status() -> None:
    metrics = Metrics(engine="portable")
    for code, status in ((0, 200), (0, 200), (5, 404)):
        metrics.of(route()).ended(exchange(grpc_code=code, status=status), 0.01)
    ok = await value(metrics, "edge_requests_total", **LABELS, dialect="rest", code="OK", status="200")
    not_found = await value(metrics, "edge_requests_total", **LABELS, dialect="rest", code="NOT_FOUND", status="404")
    assert (ok, not_found) == (2, 1)


async def test_every_metric_has_its_name_and_value() -> None:
    metrics = Metrics(engine="portable")
    metrics.of(route()).began()
    metrics.of(route()).began()
    metrics.of(route()).finished(exchange())
    metrics.of(route()).ended(exchange(), 0.02)
    metrics.failed(Fault.ROUTE_NOT_FOUND)
    metrics.watch_connections(lambda: 1)
    metrics.access_log_dropped.inc(7)
    expected = {
        ("edge_requests_in_flight", frozenset(LABELS.items())): 1,
        ("edge_request_duration_seconds_count", frozenset(LABELS.items())): 1,
        ("edge_request_duration_seconds_sum", frozenset(LABELS.items())): 0.02,
        ("edge_request_duration_seconds_bucket", frozenset({**LABELS, "le": "0.01"}.items())): 0,
        ("edge_request_duration_seconds_bucket", frozenset({**LABELS, "le": "0.025"}.items())): 1,
        ("edge_upstream_duration_seconds_sum", frozenset(LABELS.items())): 0.005,
        ("edge_request_bytes_total", frozenset(LABELS.items())): 3,
        ("edge_response_bytes_total", frozenset(LABELS.items())): 40,
        ("edge_faults_total", frozenset({("fault", "ROUTE_NOT_FOUND")})): 1,
        ("edge_connections", frozenset()): 1,
        ("edge_worker_connections", frozenset({("worker", "0")})): 1,
        ("edge_access_log_dropped_lines_total", frozenset()): 7,
        ("edge_build_info", frozenset({"version": __version__, "engine": "portable"}.items())): 1,
    }
    samples = await scrape(metrics)
    assert {key: samples.get(key) for key in expected} == expected


async def test_a_scrape_adds_nothing_twice() -> None:
    """What was published starts again at zero; totals keep growing."""
    metrics = Metrics(engine="portable")
    by_outcome = {**LABELS, "dialect": "rest", "code": "OK", "status": "200"}
    for times in (1, 2, 3):
        metrics.of(route()).ended(exchange(), 0.02)
        metrics.failed(Fault.OVERLOADED)
        await metrics.page("")
        samples = await scrape(metrics)
        assert samples["edge_requests_total", frozenset(by_outcome.items())] == times
        assert samples["edge_request_duration_seconds_count", frozenset(LABELS.items())] == times
        assert samples["edge_request_bytes_total", frozenset(LABELS.items())] == 3 * times
        assert samples["edge_response_bytes_total", frozenset(LABELS.items())] == 40 * times
        assert samples["edge_faults_total", frozenset({("fault", "OVERLOADED")})] == times


async def test_calls_without_a_route_are_counted_under_empty_labels() -> None:
    metrics = Metrics(engine="portable")
    metrics.of(None).ended(exchange(target=None, status=404, grpc_code=5), 0.001)
    found = await value(metrics, "edge_requests_total", api="", rpc="", dialect="rest", code="NOT_FOUND", status="404")
    assert found == 1


def test_routes_of_one_rpc_share_their_counts_and_a_reload_makes_no_new_ones() -> None:
    """Two bindings, or the same one of the next generation: the same object, found without building a label."""
    metrics = Metrics(engine="portable")
    assert metrics.of(route()) is metrics.of(route())
    assert metrics.of(route()) is not metrics.of(route(api="other"))


async def test_open_metrics_is_given_to_who_asks_for_it() -> None:
    metrics = Metrics(engine="portable")
    assert (await metrics.page(""))[0].startswith("text/plain")
    content_type, text = await metrics.page("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


async def test_other_workers_see_figures_published_on_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLISH_EVERY_S", 0.0)
    metrics = Metrics(engine="portable")
    metrics.start()
    open_connections = 1
    metrics.watch_connections(lambda: open_connections)
    for _ in range(3):
        await asyncio.sleep(0)
    assert metrics.registry.get_sample_value("edge_connections") == 1
    metrics.close()
    open_connections = 2
    for _ in range(3):
        await asyncio.sleep(0)
    assert metrics.registry.get_sample_value("edge_connections") == 1

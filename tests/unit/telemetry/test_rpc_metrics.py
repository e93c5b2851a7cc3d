"""One RPC's counts: bounded labels, and equality with the library's own histogram."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from edge.core.grpc_status import Code
from edge.telemetry.metrics import Metrics
from edge.telemetry.rpc_metrics import LATENCY_BOUNDS_S, code_label
from tests.unit.telemetry.exchanges import RPC, exchange, route


@given(st.integers())
def test_an_upstream_cannot_make_labels(code: int) -> None:
    """Codes are the upstream's to choose; their labels are not."""
    assert code_label(code) in {known.name for known in Code} | {"OTHER"}


def test_known_codes_are_named() -> None:
    assert [code_label(code) for code in (0, 16, 17)] == ["OK", "UNAUTHENTICATED", "OTHER"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 60)))
def test_durations_added_in_bulk_equal_durations_observed_one_by_one(durations: list[float]) -> None:
    """Guards the two private attributes of prometheus_client that bulk adding needs."""
    metrics, registry = Metrics(engine="portable"), CollectorRegistry()
    one_by_one = Histogram(
        "edge_request_duration_seconds", "x", ["api", "rpc"], buckets=LATENCY_BOUNDS_S, registry=registry
    ).labels("bookstore", RPC.selector)
    for duration_s in durations:
        one_by_one.observe(duration_s)
        metrics.of(route()).ended(exchange(), duration_s)
    metrics.publish()
    labels = {"api": "bookstore", "rpc": RPC.selector}
    for le in (*LATENCY_BOUNDS_S, "+Inf"):
        name, bucket = "edge_request_duration_seconds_bucket", {**labels, "le": str(le)}
        assert (metrics.registry.get_sample_value(name, bucket) or 0) == registry.get_sample_value(name, bucket)


def test_a_call_that_never_went_upstream_has_no_upstream_duration() -> None:
    metrics = Metrics(engine="portable")
    metrics.of(route()).ended(exchange(upstream_address=""), 0.01)
    metrics.publish()
    labels = {"api": "bookstore", "rpc": RPC.selector}
    assert metrics.registry.get_sample_value("edge_upstream_duration_seconds_count", labels) == 0
    assert metrics.registry.get_sample_value("edge_request_duration_seconds_count", labels) == 1

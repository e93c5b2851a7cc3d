"""Metrics over worker processes: real processes, one directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge.telemetry.shared_metrics import forget_worker

_WORKER = """
import asyncio, sys
from edge.telemetry.metrics import Metrics
from edge.telemetry.shared_metrics import SharedMetrics
from tests.unit.telemetry.exchanges import exchange, route
metrics = Metrics(engine="portable", shared=SharedMetrics(sys.argv[1], int(sys.argv[2])))
for _ in range(int(sys.argv[3])):
    metrics.of(route()).began()
    metrics.of(route()).ended(exchange(), 0.02)
metrics.watch_connections(lambda: 1)
print(asyncio.run(metrics.page(""))[1].decode())
"""


def _work(directory: Path, slot: int, calls: int) -> str:
    """A worker that counts calls, leaves them in flight, scrapes, and dies without a goodbye; its scrape."""
    command = [sys.executable, "-c", _WORKER, str(directory), str(slot), str(calls)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3]).stdout


def test_any_workers_scrape_is_the_sum_and_a_successor_goes_on_counting(tmp_path: Path) -> None:
    """Counters survive a dead worker and go on in its slot's files; its gauges do not survive; no file is left over."""
    labels = '{api="bookstore",rpc="bookstore.v1.Bookstore.GetBook"}'
    _work(tmp_path, 0, 2)
    page = _work(tmp_path, 1, 3)
    assert f"edge_request_duration_seconds_count{labels} 5.0" in page
    assert f"edge_requests_in_flight{labels} 5.0" in page
    assert "edge_connections 2.0" in page
    assert 'edge_worker_connections{worker="0"} 1.0' in page
    assert 'edge_worker_connections{worker="1"} 1.0' in page
    forget_worker(str(tmp_path), 0)
    files = set(tmp_path.iterdir())
    page = _work(tmp_path, 1, 0)
    assert f"edge_request_duration_seconds_count{labels} 5.0" in page
    assert "edge_connections 1.0" in page
    assert 'edge_worker_connections{worker="0"}' not in page
    forget_worker(str(tmp_path), 1)
    page = _work(tmp_path, 0, 4)
    assert f"edge_request_duration_seconds_count{labels} 9.0" in page
    assert f"edge_requests_in_flight{labels} 4.0" in page
    assert {path.name for path in tmp_path.iterdir()} <= {path.name.replace("_1", "_0") for path in files} | {
        path.name for path in files
    }

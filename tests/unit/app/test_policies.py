"""The order of policies is one list, and it is what is built."""

from __future__ import annotations

from pathlib import Path

from edge.app.policies import ORDER, names, pipeline
from edge.policies.log_access import LogAccess
from edge.telemetry.metrics import Metrics
from tests.unit.app.configs import config


def test_the_pipeline_is_built_in_the_order_that_is_told(tmp_path: Path) -> None:
    metrics = Metrics(engine="portable")
    built = pipeline(config(tmp_path), metrics, LogAccess(metrics, None, lambda: 0.0))
    assert [policy.name for policy in built.policies] == names() == [kind.name for kind in ORDER]

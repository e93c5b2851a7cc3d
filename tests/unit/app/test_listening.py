"""How many clients may be connected; the listeners themselves are the gateway's tests' (test_gateway.py)."""

from __future__ import annotations

import json
from pathlib import Path

from edge.app.listening import connection_limit
from edge.config.load import load_config
from tests.gateway import bookstore_config


def test_the_connection_limit_leaves_descriptors_for_admin_and_upstreams(tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text(json.dumps(bookstore_config(tmp_path, 1)))
    config = load_config(tmp_path / "edge.yaml", {})
    assert connection_limit(config, 1_000_000) == config.limits.max_connections == 10_000
    assert connection_limit(config, 1024) == (1024 - 128 - 4 - 16) * 10 // 11
    assert connection_limit(config, 16) == 1

"""`edge mesh apply --to kubernetes` where no cluster can be asked; with a real API server: tests/mesh/test_kubernetes_apply.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Edge


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kubectl context, and not inside a cluster."""
    pytest.importorskip("kubernetes")
    missing = str(tmp_path / "none")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", missing)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize(
    "command", [["apply", "--to", "kubernetes"], ["prune", "--to", "kubernetes"], ["plan", "--against", "kubernetes"]]
)
def test_without_a_cluster_nothing_is_done(command: list[str], edge: Edge, mesh: Path) -> None:
    """It is said, in one line."""
    result = edge("mesh", *command)
    assert (result.code, result.out) == (1, "")
    assert "no cluster is configured" in result.err
    assert not Path(".edge-mesh-journal-kubernetes").exists()

"""Loading for commands that need a snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.loading import snapshot_of
from edge.core.problem import ProblemsError


def test_warnings_are_told_and_do_not_stop(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error: standard output is the command's."""
    shop.write_text(shop.read_text() + "  spare:\n    endpoints: [127.0.0.1:50053]\n")
    assert snapshot_of(shop).routes.routes
    said = capsys.readouterr()
    assert said.out == ""
    assert "upstreams.spare: warning: not used" in said.err


def test_errors_stop(tmp_path: Path) -> None:
    """All of them in one exception."""
    (tmp_path / "edge.yaml").write_text("{}")
    with pytest.raises(ProblemsError) as caught:
        snapshot_of(tmp_path / "edge.yaml")
    assert len(caught.value.problems) == 3

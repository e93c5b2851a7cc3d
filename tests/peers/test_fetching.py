"""A grpc-gateway that cannot be had is one plain line and no failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import fetch_grpc_gateway


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with nothing in its cache, and a folder of programs that is all of PATH."""
    monkeypatch.setattr(fetch_grpc_gateway, "FOLDER", tmp_path / "cache")
    monkeypatch.setattr(fetch_grpc_gateway, "PROGRAM", tmp_path / "cache" / "peer")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_go(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch_grpc_gateway.main() == 0
    assert capsys.readouterr().out == "grpc-gateway: not built, its tests will be skipped (Go is not installed)\n"


def test_without_the_module_proxy(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What Go says last is why."""
    program = elsewhere / "go"
    program.write_text('#!/bin/sh\necho "go: downloading" >&2; echo "go: no route to host" >&2; exit 1\n')
    program.chmod(0o755)
    assert fetch_grpc_gateway.main() == 0
    assert "(go: no route to host)" in capsys.readouterr().out
    assert not fetch_grpc_gateway.fetched()

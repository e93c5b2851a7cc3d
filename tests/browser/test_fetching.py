"""What is fetched for these tests is pinned, and whatever goes wrong with it is one plain line and no failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import fetch_browser_clients as clients
from scripts import fetch_schemathesis


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with nothing in its cache, and a folder of programs that is all of PATH."""
    monkeypatch.setattr(clients, "ROOT", tmp_path)
    monkeypatch.setattr(fetch_schemathesis, "FOLDER", tmp_path / "schemathesis")
    monkeypatch.setattr(fetch_schemathesis, "PROGRAM", tmp_path / "schemathesis" / "bin" / "schemathesis")
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def npm(programs: Path, script: str) -> None:
    program = programs / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_every_package_is_pinned_by_its_hash() -> None:
    """And none says from where: that is each machine's own setting."""
    packages = json.loads((clients.WANTED / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    assert {"node_modules/grpc-web", "node_modules/@connectrpc/connect-web", "node_modules/esbuild"} <= set(fetched)
    assert all(package["integrity"].startswith("sha512-") for package in fetched.values())
    assert not any("resolved" in package for package in fetched.values())


def test_the_lock_file_is_what_npm_is_given(elsewhere: Path) -> None:
    npm(
        elsewhere,
        "cmp package-lock.json " + str(clients.WANTED / "package-lock.json") + " && mkdir -p node_modules/.bin "
        "&& touch node_modules/.package-lock.json node_modules/.bin/esbuild",
    )
    assert not clients.fetched()
    clients.fetch()
    assert clients.fetched()


def test_without_npm(elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(elsewhere))
    assert clients.main() == 0
    assert capsys.readouterr().out == (
        "browser clients: not fetched, their tests will be skipped (npm is not installed)\n"
    )


def test_without_the_registry(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    npm(elsewhere, 'echo "npm warn x" >&2; echo "npm error code ENOTFOUND" >&2; exit 1')
    assert clients.main() == 0
    assert "(npm error code ENOTFOUND)" in capsys.readouterr().out


def test_schemathesis_without_its_registry(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    python = fetch_schemathesis.FOLDER / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "ERROR: No matching distribution found" >&2; exit 1\n')
    python.chmod(0o755)
    with pytest.raises(fetch_schemathesis.UnfetchedError, match="No matching distribution"):
        fetch_schemathesis.install()

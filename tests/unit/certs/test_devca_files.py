"""The authority's files: modes, no accidents, nothing half."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from certs.devca import Authority, DevCaError, new_authority
from certs.devca_files import ExistsError, read_folder, write_pair


@pytest.fixture
def authority() -> Authority:
    return new_authority("dev.example", time.time(), 3600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_and_read(tmp_path: Path, authority: Authority) -> None:
    """A folder that is made, a certificate for everybody, a key for its owner, and nothing beside them."""
    folder = tmp_path / "a" / "tls"
    certificate, key = write_pair(folder, "ca", authority.root)
    assert (certificate, key) == (folder / "ca.pem", folder / "ca-key.pem")
    assert (mode(certificate), mode(key)) == (0o644, 0o600)
    assert sorted(os.listdir(folder)) == ["ca-key.pem", "ca.pem"]
    assert read_folder(folder).root.certificate == authority.root.certificate


def test_the_key_is_never_readable_by_others(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while it is written, under the most careless umask."""
    made: list[int] = []
    written: list[int] = []
    mkstemp, fsync = tempfile.mkstemp, os.fsync

    def making(*, dir: Path, prefix: str) -> tuple[int, str]:
        opened = mkstemp(dir=dir, prefix=prefix)
        made.append(stat.S_IMODE(os.fstat(opened[0]).st_mode))
        return opened

    def syncing(descriptor: int) -> None:
        written.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(tempfile, "mkstemp", making)
    monkeypatch.setattr(os, "fsync", syncing)
    before = os.umask(0)
    try:
        _, key = write_pair(tmp_path, "ca", authority.root)
    finally:
        os.umask(before)
    assert made == [0o600, 0o600]
    assert written == [0o600, 0o644]
    assert mode(key) == 0o600


def test_nothing_is_overwritten_unless_forced(tmp_path: Path, authority: Authority) -> None:
    """One of the two is enough to refuse both; a link that leads nowhere is something too."""
    for existing in ("ca.pem", "ca-key.pem"):
        (tmp_path / existing).write_text("mine")
        with pytest.raises(ExistsError, match=existing):
            write_pair(tmp_path, "ca", authority.root)
        assert os.listdir(tmp_path) == [existing]
        (tmp_path / existing).unlink()
    (tmp_path / "ca.pem").symlink_to("nowhere")
    with pytest.raises(ExistsError):
        write_pair(tmp_path, "ca", authority.root)
    assert os.listdir(tmp_path) == ["ca.pem"]  # not a key without its certificate
    write_pair(tmp_path, "ca", authority.root, force=True)
    assert not (tmp_path / "ca.pem").is_symlink()
    assert read_folder(tmp_path).trust_domain == "dev.example"


def test_somebody_faster_is_not_overwritten(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that appears between the look and the writing."""
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    (tmp_path / "ca-key.pem").write_text("mine")
    with pytest.raises(ExistsError, match="ca-key"):
        write_pair(tmp_path, "ca", authority.root)
    assert (tmp_path / "ca-key.pem").read_text() == "mine"
    assert os.listdir(tmp_path) == ["ca-key.pem"]


def test_a_folder_that_holds_no_authority(tmp_path: Path, authority: Authority) -> None:
    """The file is named."""
    with pytest.raises(FileNotFoundError):
        read_folder(tmp_path)
    write_pair(tmp_path, "ca", authority.root)
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(DevCaError, match=r"ca\.pem: .* no PEM certificate"):
        read_folder(tmp_path)

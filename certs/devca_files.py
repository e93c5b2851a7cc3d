"""
The development authority's files: `ca.pem`, `ca-key.pem`, and a pair for each leaf.

Owns that keys are readable by their owner alone from the first byte on, that nothing is overwritten unless asked for, and that a
watcher never finds half a file: each is written beside its place and moved there.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from certs.devca import Authority, DevCaError, Issued, read_authority

CA_NAME = "ca"
_CERTIFICATE_MODE, _KEY_MODE = 0o644, 0o600


class ExistsError(Exception):
    """A file is there already."""


def pair_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Where a certificate and its key are."""
    return folder / f"{name}.pem", folder / f"{name}-key.pem"


def write_pair(folder: Path, name: str, issued: Issued, *, force: bool = False) -> tuple[Path, Path]:
    """Write a certificate and its key; the folder is made. Raises ExistsError unless `force`, and OSError."""
    paths = pair_paths(folder, name)
    for path in paths:
        if not force and os.path.lexists(path):
            raise ExistsError(str(path))
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = paths
    # The key first: with the old certificate it is no pair, which a watcher refuses, as it does a certificate without its key.
    _write(key, issued.key_pem, _KEY_MODE, force=force)
    _write(certificate, issued.certificate_pem, _CERTIFICATE_MODE, force=force)
    return paths


def read_folder(folder: Path) -> Authority:
    """The authority whose files are in `folder`. Raises DevCaError and OSError."""
    certificate, key = pair_paths(folder, CA_NAME)
    try:
        return read_authority(certificate.read_bytes(), key.read_bytes())
    except DevCaError as error:
        raise DevCaError(f"{certificate}: {error}") from error


def _write(path: Path, content: bytes, mode: int, *, force: bool) -> None:
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        if force:
            os.replace(beside, path)
        else:
            os.link(beside, path)  # unlike a rename it fails when somebody was faster
    except FileExistsError as error:
        raise ExistsError(str(path)) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)

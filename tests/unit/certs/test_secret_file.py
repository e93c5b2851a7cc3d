"""A key reaches OpenSSL without a file, and leaves nothing open."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from certs import secret_file
from certs.pem import PemError
from certs.secret_file import load_pair
from tests.unit.certs.handshake import shake
from tests.unit.certs.mint import EDGE, mint, root

CA = root()
LEAF = mint(CA, EDGE)


def open_files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture(params=["memfd", "pipe"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux's way, and the one for systems without memfd."""
    if request.param == "pipe":
        monkeypatch.delattr(os, "memfd_create")


def works(context: ssl.SSLContext) -> bool:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(cadata=CA.der)
    shake(trusting, context)
    return True


@pytest.mark.usefixtures("_way")
def test_a_pair_is_loaded_and_nothing_stays_open() -> None:
    """The context can prove itself; not one descriptor more than before."""
    before = open_files()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(context, LEAF.chain_pem, LEAF.key_pem)
    assert open_files() == before
    assert works(context)


@pytest.mark.usefixtures("_way")
def test_no_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a temporary file would go, in the working folder, or by any call that opens one: nothing."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    hook_on = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if hook_on and event == "open" and isinstance(arguments[0], str):
            opened.append(arguments[0])

    sys.addaudithook(hook)
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), LEAF.chain_pem, LEAF.key_pem)
    finally:
        hook_on = False
    assert opened == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_way")
def test_a_pair_that_is_none_leaves_nothing_open() -> None:
    """The descriptors go on every way out."""
    before = open_files()
    cipher = serialization.BestAvailableEncryption(b"secret")
    encrypted = LEAF.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)
    for chain, key, error in (
        (LEAF.chain_pem, CA.key_pem, OSError),
        (b"no certificate", LEAF.key_pem, OSError),
        (LEAF.chain_pem, encrypted, PemError),
    ):
        with pytest.raises(error):
            load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), chain, key)
    assert open_files() == before


def test_a_memory_file_is_nobody_elses() -> None:
    """Open to its owner alone, closed across exec, gone afterwards."""
    with secret_file._memory_files(b"key") as (name,):
        descriptor = int(name.rpartition("/")[2])
        assert not os.get_inheritable(descriptor)
        assert os.readlink(name).startswith("/memfd:")
        assert Path(name).read_bytes() == b"key"
    with pytest.raises(FileNotFoundError):
        os.stat(name)


def test_a_chain_too_large_for_a_pipe_is_an_error_not_a_hang() -> None:
    """Nobody reads while we write."""
    before = open_files()
    with pytest.raises(BlockingIOError), secret_file._pipes(b"x" * 10_000_000):
        pass
    assert open_files() == before

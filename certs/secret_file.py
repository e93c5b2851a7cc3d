"""
A private key as something OpenSSL can open by name, without a file on any disk.

Owns that the key stays in memory. Python's `load_cert_chain` takes file names only; on Linux the name is that of a memfd (an
anonymous file in RAM, gone with its descriptor, invisible to other users), elsewhere that of a pipe. Memory may be swapped: encrypt
swap, or run with none. Source: memfd_create(2); mesh.md.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from certs.pem import PemError

_NAME = "edge-identity"


def load_pair(context: ssl.SSLContext, chain_pem: bytes, key_pem: bytes) -> None:
    """Have `context` present a chain with its key. Raises OSError (ssl.SSLError mostly) when they are no pair, or without /dev/fd."""
    names = _memory_files if hasattr(os, "memfd_create") else _pipes
    with names(chain_pem, key_pem) as (chain, key):
        context.load_cert_chain(chain, key, password=_no_passphrase)


def _no_passphrase() -> str:
    raise PemError("the private key is encrypted")  # else OpenSSL would ask the terminal


@contextmanager
def _memory_files(*contents: bytes) -> Iterator[tuple[str, ...]]:
    descriptors: list[int] = []
    try:
        for content in contents:
            descriptors.append(os.memfd_create(_NAME, os.MFD_CLOEXEC))
            with open(descriptors[-1], "wb", closefd=False) as file:
                file.write(content)
        yield tuple(f"/proc/self/fd/{descriptor}" for descriptor in descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@contextmanager
def _pipes(*contents: bytes) -> Iterator[tuple[str, ...]]:
    """Each is read once, front to back. A content larger than the pipe's buffer (16 KiB at least) raises BlockingIOError."""
    readers: list[int] = []
    try:
        for content in contents:
            reader, writer = os.pipe()
            readers.append(reader)
            os.set_blocking(writer, False)  # positional only
            with open(writer, "wb", buffering=0) as file:
                written = file.write(content)
            if written != len(content):
                raise BlockingIOError(f"a chain of {len(content)} bytes does not fit into a pipe")
        yield tuple(f"/dev/fd/{reader}" for reader in readers)
    finally:
        for reader in readers:
            os.close(reader)

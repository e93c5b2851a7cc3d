"""
The Connect conformance runner and its reference server, built into `.cache/conformance-<version>/` for the test that uses them.

Owns the version. Go's checksum database vouches for the source; the .proto files come from the same module. What cannot be had costs
one plain line and no failure: the test then says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "v1.0.7"
MODULE = "connectrpc.com/conformance"
FOLDER = ROOT / ".cache" / f"conformance-{VERSION}"
RUNNER = FOLDER / "connectconformance"
REFERENCE_SERVER = FOLDER / "referenceserver"
PROTOS = FOLDER / "proto"
TIMEOUT_S = 900


class UnfetchedError(Exception):
    """It cannot be had; the text says why."""


def fetched() -> bool:
    """Whether all of it is there."""
    return RUNNER.is_file() and REFERENCE_SERVER.is_file() and PROTOS.is_dir()


def fetch() -> None:
    """Build both programs, copy the protos. Raises UnfetchedError."""
    go = shutil.which("go")
    if go is None:
        raise UnfetchedError("Go is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for program in (RUNNER, REFERENCE_SERVER):
        _run([go, "install", f"{MODULE}/cmd/{program.name}@{VERSION}"])
    source = json.loads(_run([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"]))["Dir"]
    shutil.copytree(Path(source, "proto"), PROTOS, dirs_exist_ok=True, copy_function=shutil.copyfile)


def _run(command: list[str]) -> str:
    env = {**os.environ, "GOBIN": str(FOLDER), "GOFLAGS": "-mod=mod"}
    try:
        done = subprocess.run(
            command, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnfetchedError(f"{command[1]} did not finish within {TIMEOUT_S} s") from None
    if done.returncode:
        raise UnfetchedError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "go failed")
    return done.stdout


def main() -> int:
    """Fetch what is missing; always 0, for nothing here is needed to build or to run."""
    if not fetched():
        try:
            fetch()
            print(f"{MODULE} {VERSION}: built")
        except (UnfetchedError, OSError, ValueError, KeyError) as error:
            print(f"{MODULE} {VERSION}: not built, its test will be skipped ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

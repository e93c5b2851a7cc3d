"""
Schemathesis (MIT) from PyPI, in an environment of its own under `.cache`: its hypothesis and pytest are not to decide ours.

Owns the version. What cannot be had costs one plain line and no failure: the test then says so.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "4.32.5"
FOLDER = ROOT / ".cache" / f"schemathesis-{VERSION}"
PROGRAM = FOLDER / "bin" / "schemathesis"
TIMEOUT_S = 300


class UnfetchedError(Exception):
    """It cannot be had; the text says why."""


def fetched() -> bool:
    """Whether it is there: pip writes the program last."""
    return PROGRAM.is_file()


def fetch() -> None:
    """Make the environment. Raises UnfetchedError."""
    venv.create(FOLDER, with_pip=True)
    install()


def install() -> None:
    """Into the environment that is there. Raises UnfetchedError."""
    command = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, "--retries", "1", f"schemathesis=={VERSION}"],
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnfetchedError(f"pip did not finish within {TIMEOUT_S} s") from None
    if done.returncode:
        raise UnfetchedError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")


def main() -> int:
    """Fetch it if it is missing; always 0, for nothing here is needed to build or to run."""
    if not fetched():
        try:
            fetch()
            print(f"schemathesis {VERSION}: installed")
        except (UnfetchedError, OSError, subprocess.SubprocessError) as error:
            print(f"schemathesis {VERSION}: not installed, its test will be skipped ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

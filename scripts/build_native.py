"""
Build the native engine (native/, Rust) and install it into this environment, unless what stands there is of the same source.

Best effort, as everything beside the gateway itself: where cargo or the crates are missing it says so, and the portable engine serves.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "native"
STAMP = Path(sys.prefix) / ".native-source"
GOES_ON = "the portable engine serves, at several times the CPU per request"


def digest() -> str:
    """Of everything the extension is made of, this interpreter included."""
    total = hashlib.sha256(sys.version.encode())
    for path in sorted([*NATIVE.glob("*.toml"), NATIVE / "Cargo.lock", *NATIVE.glob("src/**/*.rs")]):
        total.update(path.relative_to(NATIVE).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def is_current(wanted: str) -> bool:
    """Whether what is installed was built from the source that is here."""
    try:
        version("edge-native")
    except PackageNotFoundError:
        return False
    return STAMP.exists() and STAMP.read_text() == wanted


def main() -> int:
    """Build and install; 0 also where it cannot be built."""
    wanted = digest()
    if is_current(wanted):
        return 0
    if shutil.which("cargo") is None:
        print(f"native engine: cargo is not installed (https://rustup.rs), not built: {GOES_ON}")
        return 0
    print("native engine: building (a minute or two, once)", flush=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--no-deps",
        str(NATIVE),
    ]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    if built.returncode:
        print("\n".join(built.stderr.splitlines()[-15:]))
        print(f"native engine: the build failed as above: {GOES_ON}")
        return 0
    STAMP.write_text(wanted)
    print(f"native engine: edge-native {version('edge-native')} is installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

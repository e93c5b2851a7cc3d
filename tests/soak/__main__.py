"""
`python -m tests.soak --minutes 10`: the gateway under every dialect at once, with slow and disconnecting clients.

Prints curves of what it holds and a verdict; exit 1 when memory grows or anything is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.samples import slope_per_10_min
from tests.soak.soak import MAX_SLOPE_MIB, soak


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(soak(Path(folder), given.minutes * 60, given.every))
    print(result.report())
    flat = slope_per_10_min(result.warm) < MAX_SLOPE_MIB
    print("passed" if flat and not result.left() else "FAILED")
    return 0 if flat and not result.left() else 1


if __name__ == "__main__":
    sys.exit(main())

"""
`python -m tests.soak --minutes 10`: the gateway under every dialect at once, with slow and disconnecting clients.

Prints curves of what it holds and a verdict; exit 1 when memory grows, anything is kept, a client had an error, or it does not end.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import soak

GRACE_S = 100.0
"""For start and end, each of whose waits is bounded; this is for the bound that was forgotten."""


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="from 8 on, the slope of the memory is judged")
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    given = parser.parse_args()
    faulthandler.dump_traceback_later(given.minutes * 60 + GRACE_S, exit=True)
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(soak(Path(folder), given.minutes * 60, given.every))
    print(result.report())
    return 1 if result.faults() else 0


if __name__ == "__main__":
    sys.exit(main())

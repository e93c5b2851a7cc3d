"""
The Connect conformance suite: gRPC, gRPC-Web and Connect, over HTTP/1.1 and HTTP/2, with TLS and without.

Its reference client speaks to the gateway, its reference server stands behind it. `make conformance` builds both.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.fetch_conformance import RUNNER, fetched
from tests.conformance.connect import protocol

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
CASES = 8000
"""There are 8578 in version 1.0.7; fewer would mean that the configuration chooses too few."""


@pytest.mark.slow
@pytest.mark.timeout(590)
@pytest.mark.skipif(
    not fetched(), reason="the conformance runner is not in .cache: `make conformance` builds it (needs Go)"
)
def test_every_case_passes_but_the_known_ones() -> None:
    """All protocols, codecs, compressions and kinds of stream; the known list is shorter than 1 %."""
    protocol.descriptors()  # compiled before servers race to do it
    command = [
        str(RUNNER),
        *("--mode", "server", "--conf", str(HERE / "config.yaml")),
        *("--known-flaky", f"@{HERE / 'known_failing.txt'}"),
        *("--max-servers", "2", "--parallel", "4"),
        *("--", sys.executable, "-m", "tests.conformance.connect.server"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False)
    output = done.stdout + done.stderr
    total = int(found[1]) if (found := re.search(r"Total cases: (\d+)", output)) else 0
    print(output[output.find("Total cases") :])
    assert done.returncode == 0, output[-4000:]
    assert total >= CASES

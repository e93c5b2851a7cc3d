"""
h2spec, the HTTP/2 conformance suite, in strict mode over TLS against a whole gateway (R1).

`make h2spec` builds it with Go into `.cache/bin`; where that cannot be done the test is skipped and says so.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.matrix.rest_site import recorded

H2SPEC = Path(__file__).resolve().parents[2] / ".cache" / "bin" / "h2spec"
PATH = "/v1/lab/specimen?string_value=long-enough-to-be-cut-in-pieces"
TOTAL = 146


def certificate(folder: Path) -> dict[str, str]:
    """A listener's TLS section with files of its own."""
    leaf = trustme.CA().issue_cert("localhost", "127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return {"cert": str(cert), "key": str(key)}


@pytest.mark.skipif(
    not H2SPEC.exists(), reason="h2spec is not built: `make h2spec` does it, with Go and its module proxy"
)
def test_h2spec_strict_over_tls(tmp_path: Path) -> None:
    """Every case passes; none is skipped."""
    with recorded(tmp_path, listeners=[{"bind": "127.0.0.1:0", "tls": certificate(tmp_path)}]) as site:
        command = [str(H2SPEC), "-S", "-t", "-k", "-p", str(site.gateway.port), "-o", "5", "-P", PATH]
        done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    found = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", done.stdout)
    assert found is not None, done.stdout[-3000:]
    print(f"h2spec -S -t: {found.group()}")
    assert [int(number) for number in found.groups()] == [TOTAL, TOTAL, 0, 0], _failures(done.stdout)
    assert done.returncode == 0


def _failures(output: str) -> str:
    return output[output.find("Failures") :][:5000]

"""
Requests that schemathesis makes up from our own document, against the gateway that served it.

`make schemathesis` runs some 20,000; these are some 300. Skipped where schemathesis could not be installed.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.fetch_schemathesis import fetched
from tests.conformance.openapi.run import QUICK, schemathesis
from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled, serving
from tests.upstreams.bookstore import BookstoreProcess

needed = pytest.mark.skipif(
    not fetched(), reason="schemathesis is not installed: scripts/fetch_schemathesis.py says why"
)


@needed
@pytest.mark.slow
@pytest.mark.timeout(300)  # 10 s; a machine with much else to do is given its time
def test_every_answer_is_as_documented(tmp_path: Path) -> None:
    """No 5xx, no status, media type or property that the document has not."""
    with BookstoreProcess() as upstream:
        config = bookstore_config(tmp_path, upstream.port, api=compiled(tmp_path))
        with serving(tmp_path, config) as site:
            report, told = schemathesis(tmp_path, site.gateway.url, QUICK, seed=1)
    assert report, told
    assert (report["failures"], report["errors"], report["exit_code"]) == ([], [], 0), told
    assert report["operations"]["selected"] == report["operations"]["tested"] > 60
    assert report["test_cases"]["generated"] >= QUICK.least


DOCUMENT = {
    "openapi": "3.1.1",
    "info": {"title": "t", "version": "1"},
    "paths": {"/thing": {"get": {"responses": {"200": {"description": "d"}, "default": {"description": "an error"}}}}},
}


class Surprising(BaseHTTPRequestHandler):
    """Its document is one thing, its 202 another."""

    def do_GET(self) -> None:
        body = json.dumps(DOCUMENT).encode() if self.path == "/openapi.json" else b""
        self.send_response(200 if body else 202)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@needed
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_status_that_only_default_covers_is_found(tmp_path: Path) -> None:
    """The check of our own is in force."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Surprising) as server:
        threading.Thread(target=server.serve_forever).start()
        report, told = schemathesis(tmp_path, f"http://127.0.0.1:{server.server_port}", QUICK, seed=1)
        server.shutdown()
    assert "202 is not listed" in told
    assert report["failures"]

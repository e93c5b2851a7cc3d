"""
A page's own origin: serves a bundle made from one of this folder's pages, and takes what the page tells.

    with telling(folder, "connect_page.js") as origin:
        with chromium(folder, f"{origin.url}/?gateway=…"):
            told = origin.told(60)
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import fetch_browser_clients

HERE = Path(__file__).parent
needs_clients = pytest.mark.skipif(
    not fetch_browser_clients.fetched(),
    reason="the browsers' clients are not in .cache: `make browser` fetches them (needs npm and its registry)",
)
INDEX = b'<!doctype html><meta charset="utf-8"><title>a page</title><script type="module" src="/page.js"></script>'


@dataclass(frozen=True)
class Origin:
    """Where the page is; what it told."""

    url: str
    results: queue.Queue[Any]

    def told(self, within_s: float) -> Any:
        """What the page posted, once it has."""
        return self.results.get(timeout=within_s)


class _Handler(BaseHTTPRequestHandler):
    """Serves `files` by path; a POST is the result."""

    def __init__(self, files: dict[str, tuple[str, bytes]], results: queue.Queue[Any], *rest: Any) -> None:
        self._files, self._results = files, results
        super().__init__(*rest)

    def do_GET(self) -> None:
        kind, body = self._files.get(self.path.partition("?")[0], ("text/plain", b""))
        self._answer(kind, body)

    def do_POST(self) -> None:
        self._results.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self._answer("text/plain", b"")

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def bundled(folder: Path, page: str) -> bytes:
    """A page with the packages it imports, as browsers take it."""
    packages = fetch_browser_clients.folder() / "node_modules"
    out = folder / "page.js"
    command = [str(fetch_browser_clients.bundler()), str(HERE / page), "--bundle", "--format=esm", f"--outfile={out}"]
    done = subprocess.run(
        [*command, "--target=es2022", "--log-level=warning"],
        env={"NODE_PATH": str(packages)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


@contextmanager
def telling(folder: Path, page: str, **files: bytes) -> Iterator[Origin]:
    """Serve; `files` by name without their ending are `/NAME.binpb`."""
    results: queue.Queue[Any] = queue.Queue()
    served = {"/": ("text/html", INDEX), "/page.js": ("text/javascript", bundled(folder, page))}
    served |= {f"/{name}.binpb": ("application/octet-stream", content) for name, content in files.items()}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, served, results)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Origin(f"http://localhost:{server.server_port}", results)
        finally:
            server.shutdown()
            thread.join()

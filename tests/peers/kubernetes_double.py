"""
An API server that knows EndpointSlices of one Service, for what the real one does not do when asked.

Over plain HTTP, held to the documented watch protocol: lists with a version, watches from one as a chunked stream of JSON lines, bookmarks,
410 as a status and as an event. `script` decides what each request gets; requests are recorded.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Line = dict[str, Any] | bytes | threading.Event
"""An event; bytes as they are; or a wait for the test."""


@dataclass
class Asked:
    """One request."""

    path: str
    query: dict[str, str]
    token: str

    @property
    def watches(self) -> bool:
        return self.query.get("watch", "").lower() == "true"


Answer = tuple[int, Any]
"""A status and a body; for a watch that is granted, its lines."""


@dataclass
class ApiDouble:
    """`answer` is called for each request, in threads of the server."""

    answer: Callable[[Asked], Answer]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig file for it."""
        path = folder / "double.yaml"
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "k", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        }))  # fmt: skip
        return path

    @property
    def lists(self) -> int:
        return sum(not each.watches for each in self.asked)

    @property
    def watches(self) -> list[str]:
        """The version each watch was asked from."""
        return [each.query["resourceVersion"] for each in self.asked if each.watches]


def listing(version: int, *slices: dict[str, Any]) -> dict[str, Any]:
    """The body of a list."""
    return {"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1", "metadata": {"resourceVersion": str(version)},
            "items": list(slices)}  # fmt: skip


def versioned(given: dict[str, Any], version: int) -> dict[str, Any]:
    """A slice as of a version."""
    return {**given, "metadata": {**given["metadata"], "resourceVersion": str(version)}}


def refusal(code: int, message: str = "no") -> dict[str, Any]:
    """A Status."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code}


@contextmanager
def running_double(answer: Callable[[Asked], Answer]) -> Iterator[ApiDouble]:
    """Serve it."""
    double = ApiDouble(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, self.headers.get("Authorization", ""))
            double.asked.append(asked)
            status, body = double.answer(asked)
            if status != 200 or not asked.watches:
                self._whole(status, body)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for line in body:
                    self._line(line)
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True

        def _line(self, line: Line) -> None:
            if isinstance(line, threading.Event):
                while not line.wait(0.02) and not double.over.is_set():
                    pass
                return
            data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def _whole(self, status: int, body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", "1")  # as the real one's priority and fairness says
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield double
    finally:
        double.over.set()
        server.shutdown()
        server.server_close()
        thread.join()

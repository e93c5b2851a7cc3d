"""
A gateway on a thread of its own, for tests that are synchronous because their clients are.

    with recorded(folder) as site:
        answer = site.get("/v1/lab/specimen?stringValue=a")
        assert site.seen().string_value == "a"

Behind it a `ThreadedRecorder` (`recorded`) or any other upstream (`Site.upstream` is then None).
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from edge.app.snapshot import load_snapshot
from edge.config.load import load_config
from edge.core.problem import Problem, ProblemsError
from edge.demo.messages import FILES, find_root
from edge.descriptors.compile import compile_protos
from tests.gateway import RunningGateway, bookstore_config, running
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Recorded, Reply, ThreadedRecorder

LAB = "/v1/lab/specimen"
LABORATORY = "bookstore.v1.Laboratory."
ECHO_SPECIMEN = "/bookstore.v1.Laboratory/EchoSpecimen"


def echo(call: Recorded) -> Reply:
    """What was asked is the answer."""
    return Reply(call.message)


@dataclass
class Site:
    """A gateway, a client of its, and the recorder behind it."""

    gateway: RunningGateway
    http: httpx.Client
    upstream: ThreadedRecorder | None = field(default=None)

    @property
    def recorder(self) -> ThreadedRecorder:
        """The upstream, which is a recorder."""
        assert self.upstream is not None
        return self.upstream

    def fresh(self) -> Site:
        """The same without what earlier tests left in the recorder."""
        self.recorder.clear()
        self.recorder.default = echo
        return self

    def ask(self, method: str, target: str, content: bytes | str | None = None, **headers: str) -> httpx.Response:
        """One request; `content_type="…"` becomes a Content-Type field and so on. Content is JSON unless it says otherwise."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            fields.setdefault("content-type", "application/json")
        return self.http.request(method, target, content=content, headers=fields)

    def get(self, target: str, **headers: str) -> httpx.Response:
        """A GET."""
        return self.ask("GET", target, **headers)

    def post(self, target: str, value: Any, **headers: str) -> httpx.Response:
        """A POST of JSON: `value` is written as JSON unless it is bytes."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", target, content, **headers)

    def seen(self, message: str = "Specimen") -> Any:
        """The one request the service got, decoded as a message of the bookstore's."""
        (call,) = self.recorder.calls
        return getattr(known(), message).FromString(call.message)

    def refused(self, answer: httpx.Response, status: int = 400, field_name: str | None = None) -> dict[str, Any]:
        """Assert that a request was refused by the gateway itself, in the right shape; the google.rpc.Status."""
        assert self.upstream is None or not self.upstream.calls, "it reached the service"
        body = shaped(answer, status)
        assert body["details"][0]["domain"] == "edge-gateway"
        if field_name is not None:
            (violation,) = body["details"][1]["fieldViolations"]
            assert violation["field"] == field_name, violation
        return body

    def raw(self, request: bytes) -> bytes:
        """Bytes to the gateway and all that comes back until it closes; the request should say `Connection: close`."""
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=20) as sock:
            sock.sendall(request)
            return b"".join(iter(lambda: sock.recv(65536), b""))

    def raw_get(self, target: str | bytes, *fields: str) -> tuple[int, dict[str, Any]]:
        """A GET whose target no client library has touched: status and JSON."""
        path = target.encode() if isinstance(target, str) else target
        head = "".join(f"{line}\r\n" for line in ("", "Host: edge", "Connection: close", *fields))
        answer = self.raw(b"GET " + path + b" HTTP/1.1" + head.encode("latin-1") + b"\r\n")
        top, _, body = answer.partition(b"\r\n\r\n")
        return int(top.split(b" ", 2)[1]), json.loads(body)

    def curl(self, *arguments: str) -> str:
        """What curl prints; a target is given as a path."""
        given = [f"{self.gateway.url}{a}" if a.startswith("/v1") else a for a in arguments]
        done = subprocess.run(["curl", "-sS", "--max-time", "20", *given], capture_output=True, text=True, check=True)
        return done.stdout


def shaped(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Assert that an answer is a google.rpc.Status with this HTTP status; the Status."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["message"] or body["code"]
    return body


@cache
def descriptor_set() -> bytes:
    """The bookstore compiled once: gateways start faster from descriptors than from protos."""
    return compile_protos([find_root()], FILES)


def compiled(folder: Path) -> dict[str, Any]:
    """The `api` choices that describe the bookstore by a file in `folder`."""
    path = folder / "bookstore.binpb"
    path.write_bytes(descriptor_set())
    return {"protos": None, "descriptors": str(path)}


def checked(folder: Path, **choices: Any) -> list[Problem]:
    """The errors in a configuration of the bookstore, which has some: what `edge check` prints and `edge run` refuses."""
    path = folder / "edge.json"
    path.write_text(json.dumps(bookstore_config(folder, 1, **choices)))
    with pytest.raises(ProblemsError) as failed:
        load_snapshot(load_config(path, {}))
    return [problem for problem in failed.value.problems if not problem.warning]


@contextmanager
def serving(folder: Path, config: dict[str, Any], upstream: ThreadedRecorder | None = None) -> Iterator[Site]:
    """Serve a configuration on a thread with the event loop of production."""
    found: list[RunningGateway | BaseException] = []
    ready, loops = threading.Event(), []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        try:
            async with running(folder, config) as gateway:
                found.append(gateway)
                ready.set()
                await stop.wait()
        except Exception as error:  # noqa: BLE001  # told by the thread that waits
            found.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: uvloop.run(serve()), name="gateway")
    thread.start()
    try:
        assert ready.wait(100)
        gateway = found[0]
        assert isinstance(gateway, RunningGateway), gateway
        plain = {"accept-encoding": "identity"}
        with httpx.Client(base_url=gateway.url, headers=plain, trust_env=False, timeout=30) as http:
            yield Site(gateway, http, upstream)
    finally:
        for loop, stop in loops:
            loop.call_soon_threadsafe(stop.set)
        thread.join(30)


@contextmanager
def recorded(folder: Path, **choices: Any) -> Iterator[Site]:
    """A gateway before a recorder that echoes; `choices` as for `bookstore_config`."""
    with ThreadedRecorder() as upstream:
        choices["api"] = {**compiled(folder), **choices.get("api", {})}
        with serving(folder, bookstore_config(folder, upstream.port, **choices), upstream) as site:
            yield site.fresh()


def rules(**by_rpc: list[dict[str, Any]]) -> dict[str, Any]:
    """The `http` section: for each RPC of the laboratory its bindings."""
    return {
        "rules": [
            {"selector": LABORATORY + rpc, **first, "additional_bindings": more}
            for rpc, (first, *more) in by_rpc.items()
        ]
    }


def served_by(site: Site, target: str) -> str:
    """The RPC a GET of the target reaches; `404` and the like if none."""
    site.fresh()
    status, _ = site.raw_get(target)
    if site.recorder.calls:
        return site.recorder.last.path.rpartition("/")[2]
    return str(status)

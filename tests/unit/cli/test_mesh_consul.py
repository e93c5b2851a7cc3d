"""The Consul that `edge mesh` talks to, and its entries, against a server that answers as told; `tests/mesh` has the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge.cli.mesh_consul import ConsulEntries, ConsulFlags, consul_of
from edge.config.secret import Secret
from edge.consul.client import AgentPlace, Scope
from edge.consul.token import TokenSource
from edge.consul.transport import Place
from edge.core.problem import ProblemsError
from meshconfig.consul_store import StoreError


@contextmanager
def answering(status: int, body: object, headers: dict[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server; its URL, and the requests it saw."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            seen.append(f"{self.command} {self.path} {self.headers.get('X-Consul-Token')}")
            text = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            kind = {"Content-Type": "text/plain" if status >= 300 else "application/json"}
            for name, value in {**kind, **(headers or {}), "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_PUT = do_GET  # noqa: N815  # the server's own naming
        do_DELETE = do_GET  # noqa: N815  # as above

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def entries(url: str, token: str = "", datacenter: str = "") -> ConsulEntries:
    return ConsulEntries(AgentPlace(Place(url), TokenSource(Secret(token) if token else None), Scope(datacenter)))


def test_requests_carry_token_index_and_datacenter() -> None:
    """A name that could lead elsewhere is not asked for."""
    with answering(200, True) as (url, seen):
        store = entries(url, "secret", "dc1")
        assert store.write({"Kind": "k", "Name": "n"}, 7)
        assert store.delete("k", "a?c", 9)
        with pytest.raises(StoreError, match="cannot be part of a path"):
            store.delete("k", "../x", 9)
    assert seen == ["PUT /v1/config?cas=7&dc=dc1 secret", "DELETE /v1/config/k/a%3Fc?cas=9&dc=dc1 secret"]


def test_what_is_not_there_is_none() -> None:
    """A kind this Consul does not know has no entries."""
    with answering(404, "Config entry not found") as (url, _):
        assert entries(url).read("k", "n") is None
    with answering(500, "invalid config entry kind: k") as (url, _):
        assert entries(url).listed("k") == []
    with answering(400, "invalid config entry kind: k") as (url, _):
        assert entries(url).listed("k") == []


def test_a_list_that_access_rules_cut_is_no_empty_list() -> None:
    """A plan on it would create what exists."""
    filtered = {"X-Consul-Results-Filtered-By-ACLs": "true"}
    with answering(200, [], filtered) as (url, _), pytest.raises(StoreError, match="may not read every k entry"):
        entries(url).listed("k")


def test_a_redirect_is_not_followed() -> None:
    """The token would go with it."""
    location = {"Location": "http://127.0.0.1:1/"}
    with answering(307, "", location) as (url, seen), pytest.raises(StoreError, match="redirected elsewhere"):
        entries(url, "secret").read("k", "n")
    assert len(seen) == 1


@pytest.mark.parametrize(("token", "text"), [("", "no token was sent"), ("secret", "the token lacks service:read")])
def test_a_denial_says_what_is_missing(token: str, text: str) -> None:
    """The rule that grants it, and never the token."""
    with answering(403, "Permission denied") as (url, _), pytest.raises(StoreError, match=text) as denied:
        entries(url, token).read("service-defaults", "shop")
    assert 'service "shop" { policy = "read" }' in str(denied.value)
    assert "secret" not in str(denied.value)


def test_nobody_there() -> None:
    """The address is named, once."""
    with pytest.raises(StoreError, match=r"^http://127\.0\.0\.1:1: connection refused$"):
        entries("http://127.0.0.1:1").listed("k")


def test_an_answer_that_is_no_json() -> None:
    """A proxy's page, for example."""
    with answering(200, "<html>") as (url, _), pytest.raises(StoreError):
        entries(url).listed("k")


def test_a_command_asks_whom_the_file_names(mesh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And a flag or a variable goes before that; a token file that is not there is bad input."""
    mesh.write_text(mesh.read_text() + 'consul: {address: "http://consul.example:8500", service: edge}\n')
    monkeypatch.delenv("CONSUL_HTTP_ADDR")
    assert consul_of(mesh, ConsulFlags()).url == "http://consul.example:8500"
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "other:8500")
    assert consul_of(mesh, ConsulFlags()).url == "http://other:8500"
    assert consul_of(mesh, ConsulFlags(agent="http://flag:1")).url == "http://flag:1"
    with pytest.raises(ProblemsError, match="no such file"):
        consul_of(mesh, ConsulFlags(token_file=tmp_path / "none"))

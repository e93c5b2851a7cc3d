"""Consul's HTTP API, against a server that answers what it is told to; `tests/mesh` has the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from meshconfig.consul_http import ConsulHttp
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
            for name, value in {**(headers or {}), "Content-Length": str(len(text))}.items():
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


def test_requests_carry_token_index_and_datacenter() -> None:
    """The name is a part of the path, whatever is in it."""
    with answering(200, True) as (url, seen):
        store = ConsulHttp(url, "secret", "dc1")
        assert store.write({"Kind": "k", "Name": "n"}, 7)
        assert store.delete("k", "a/b?c", 9)
    assert seen == ["PUT /v1/config?cas=7&dc=dc1 secret", "DELETE /v1/config/k/a%2Fb%3Fc?cas=9&dc=dc1 secret"]


def test_what_is_not_there_is_none() -> None:
    """A kind this Consul does not know has no entries."""
    with answering(404, "Config entry not found") as (url, _):
        assert ConsulHttp(url).read("k", "n") is None
    with answering(500, "invalid config entry kind: k") as (url, _):
        assert ConsulHttp(url).listed("k") == []


def test_a_list_that_access_rules_cut_is_no_empty_list() -> None:
    """A plan on it would create what exists."""
    filtered = {"X-Consul-Results-Filtered-By-ACLs": "true"}
    with answering(200, [], filtered) as (url, _), pytest.raises(StoreError, match="may not read every k entry"):
        ConsulHttp(url).listed("k")


def test_a_redirect_is_not_followed() -> None:
    """The token would go with it."""
    with answering(307, "", {"Location": "http://127.0.0.1:1/"}) as (url, seen), pytest.raises(StoreError, match="307"):
        ConsulHttp(url, "secret").read("k", "n")
    assert len(seen) == 1


@pytest.mark.parametrize(("token", "text"), [("", "set CONSUL_HTTP_TOKEN"), ("secret", "the token lacks a permission")])
def test_a_denial_says_what_is_missing(token: str, text: str) -> None:
    """And never the token."""
    with answering(403, "Permission denied") as (url, _), pytest.raises(StoreError, match=text) as denied:
        ConsulHttp(url, token).listed("k")
    assert "secret" not in str(denied.value)


def test_nobody_there() -> None:
    """The address is named."""
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:1: "):
        ConsulHttp("http://127.0.0.1:1").listed("k")


def test_an_answer_that_is_no_json() -> None:
    """A proxy's page, for example."""
    with answering(200, "<html>") as (url, _), pytest.raises(StoreError):
        ConsulHttp(url).listed("k")

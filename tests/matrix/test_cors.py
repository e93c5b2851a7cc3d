"""CORS through a whole gateway, in the dialects browsers speak."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from edge.core.grpc_frame import encode_frame
from tests.gateway import bookstore_config
from tests.matrix.rest_site import Site, compiled, serving
from tests.upstreams.bookstore import BookstoreProcess

APP = "https://app.example.com"
ALLOWED = {"origins": [APP, "https://*.example.org"], "credentials": True, "max_age": "5m", "expose": ["X-Mine"]}
WEB = {"content-type": "application/grpc-web+proto"}
FEEDS = "/bookstore.v1.Feeds"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cors")
    with BookstoreProcess() as upstream:
        config = bookstore_config(folder, upstream.port, api={**compiled(folder), "cors": ALLOWED})
        with serving(folder, config) as site:
            yield site


def preflight(site: Site, path: str, method: str, origin: str = APP) -> httpx.Response:
    fields = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "x-a"}
    return site.http.options(path, headers=fields)


def names(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize(
    ("path", "method", "methods"),
    [
        ("/v1/shelves", "POST", {"GET", "HEAD", "POST"}),
        ("/v1/shelves/1", "DELETE", {"GET", "HEAD", "DELETE", "PATCH"}),
        ("/v1/lab/count", "GET", {"GET", "HEAD"}),
        (f"{FEEDS}/Count", "POST", {"POST"}),
        ("/v1/shelves", "PUT", {"GET", "HEAD", "POST"}),
    ],
)
def test_preflights(site: Site, path: str, method: str, methods: set[str]) -> None:
    """Answered here, with what the path really has."""
    answer = preflight(site, path, method)
    assert (answer.status_code, answer.content) == (204, b"")
    told = names(answer)
    assert set(told["access-control-allow-methods"].split(", ")) >= methods - {"PATCH"}
    assert set(told["access-control-allow-methods"].split(", ")) <= methods
    assert told["access-control-allow-origin"] == APP
    assert told["access-control-allow-credentials"] == "true"
    assert told["access-control-max-age"] == "300"
    assert "origin" in answer.headers["vary"]
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize(("path", "method"), [(f"{FEEDS}/Missing", "POST"), ("/v1/nowhere", "PUT")])
def test_what_is_not_there_can_be_read_to_be_so(site: Site, path: str, method: str) -> None:
    """The preflight is good, and the answer that follows is marked: UNIMPLEMENTED, or 404."""
    told = preflight(site, path, method)
    assert (told.status_code, names(told)["access-control-allow-methods"]) == (204, method)
    answer = site.http.request(method, path, headers={**WEB, "origin": APP} if method == "POST" else {"origin": APP})
    assert answer.status_code == 404
    assert names(answer)["access-control-allow-origin"] == APP
    assert (answer.headers.get("grpc-status") == "12") == (method == "POST")


def test_a_preflight_from_elsewhere(site: Site) -> None:
    answer = preflight(site, "/v1/shelves", "GET", "https://app.example.com.evil.example")
    assert answer.status_code == 403
    assert answer.json()["details"][0]["reason"] == "ORIGIN_REFUSED"
    assert names(answer) == {}


@pytest.mark.parametrize("origin", [APP, "https://pr-1.example.org"])
@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/v1/shelves/1", {}, b"", 200),
        ("GET", "/v1/shelves/99999", {}, b"", 404),
        ("GET", "/v1/shelves/x", {}, b"", 400),
        ("PUT", "/v1/shelves", {}, b"", 405),
        ("GET", "/v1/nowhere", {}, b"", 404),
        ("GET", "/v1/lab/count?to=2", {}, b"", 200),
        ("GET", "/v1/lab/count?to=-1", {}, b"", 400),
        ("POST", f"{FEEDS}/Count", WEB, encode_frame(b"\x08\x02"), 200),
        ("POST", f"{FEEDS}/Missing", WEB, encode_frame(b""), 404),
        ("POST", f"{FEEDS}/Count", {"content-type": "application/connect+json"}, encode_frame(b'{"to":1}'), 200),
        ("POST", "/bookstore.v1.Bookstore/GetShelf", {"content-type": "application/json"}, b'{"shelf":"1"}', 200),
    ],
)
def test_answers_of_every_dialect(
    site: Site, origin: str, method: str, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    """Good ones, errors of the service's and of ours, streams: a page can read them all."""
    answer = site.http.request(method, path, headers={**headers, "origin": origin}, content=body or None)
    assert answer.status_code == status, answer.text
    told = names(answer)
    assert told["access-control-allow-origin"] == origin
    assert told["access-control-allow-credentials"] == "true"
    assert {"grpc-status", "grpc-message", "x-request-id", "x-mine"} <= set(
        told["access-control-expose-headers"].split(", ")
    )
    assert "origin" in answer.headers.get_list("vary")


def test_http_errors(site: Site) -> None:
    """What never became a call."""
    answer = site.raw(
        b"POST /v1/shelves HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: " + APP.encode() + b"\r\n"
        b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"access-control-allow-origin: " + APP.encode() in answer


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
def test_others_are_served_but_told_nothing(site: Site, headers: dict[str, str]) -> None:
    """CORS hides answers from pages; it is no authorization."""
    answer = site.http.get("/v1/shelves/1", headers=headers)
    assert answer.status_code == 200
    assert names(answer) == {}
    assert "origin" in answer.headers.get_list("vary")


def test_over_http2(site: Site) -> None:
    told = site.curl(
        "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "-X", "OPTIONS", "-H", f"Origin: {APP}",
        "-H", "Access-Control-Request-Method: GET", "/v1/shelves",
    )  # fmt: skip
    assert told.startswith("HTTP/2 204")
    assert f"access-control-allow-origin: {APP}" in told


def test_without_cors_options_is_a_method_like_any_other(shop: Site) -> None:
    assert preflight(shop, "/v1/shelves", "GET").status_code == 405
    assert names(shop.get("/v1/shelves/1", origin=APP)) == {}


def test_a_preflight_is_one_line_in_the_log(site: Site) -> None:
    answer = preflight(site, "/v1/shelves", "GET")
    wanted = answer.headers["x-request-id"]
    found = asyncio.run(site.gateway.logged(wanted))
    assert (found["method"], found["status"], found["rpc"]) == ("OPTIONS", 204, None)

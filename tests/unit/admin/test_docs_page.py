"""The documentation page."""

from __future__ import annotations

import json
import re

import pytest

from edge.admin.docs_page import DocsPage, gateway_url
from edge.admin.pages import Page

_DOCUMENTS = {
    "/openapi.json": b'{"info": {"title": "my shop"}}',
    "/openapi/my%20shop.json": b'{"info": {"title": "my shop"}}',
}


def _page(path: str) -> Page:
    found = DocsPage(lambda: _DOCUMENTS, ["http://{host}:8080"]).answer(path)
    assert found is not None, path
    return found


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/docs", "text/html"), ("/docs/page.css", "text/css"), ("/docs/page.js", "text/javascript")],
)
def test_files(path: str, content_type: str) -> None:
    """They are in the package, and may not be mistaken for something else."""
    page = _page(path)
    assert page.status == 200
    assert page.content_type == f"{content_type}; charset=utf-8"
    assert ("x-content-type-options", "nosniff") in page.headers
    assert page.body


def test_nothing_from_another_host() -> None:
    """The page names no address but its own, and its policy allows no script from elsewhere and none inline."""
    html = _page("/docs").body.decode()
    assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) == {
        "#operations",
        "data:,",
        "docs",
        "docs/page.css",
        "docs/page.js",
    }
    assert "<style" not in html
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", html)
    policy = dict(_page("/docs").headers)["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_script_writes_no_html() -> None:
    """Descriptions come from files others wrote: they become text nodes."""
    script = _page("/docs/page.js").body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


def test_it_stays_small() -> None:
    """A page one can read."""
    assert sum(_page(path).body.count(b"\n") for path in ("/docs", "/docs/page.css", "/docs/page.js")) < 600


def test_listing() -> None:
    """The APIs with relative addresses, and the gateways."""
    assert json.loads(_page("/docs/apis.json").body) == {
        "apis": [{"name": "my shop", "document": "docs/openapi/my%20shop.json"}],
        "gateways": ["http://{host}:8080"],
    }
    assert _page("/docs/openapi/my%20shop.json").body == _DOCUMENTS["/openapi/my%20shop.json"]


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/other.js", "/docs/openapi/none.json", "/docs/openapi.json", "/", "/docs/../pages.py"]
)
def test_other_paths(path: str) -> None:
    """Nothing else is served, no file by its name."""
    assert DocsPage(lambda: _DOCUMENTS, []).answer(path) is None


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:80"),
        ("api.example.com", True, "https://api.example.com:80"),
        ("", False, "http://{host}:80"),
        ("0.0.0.0", False, "http://{host}:80"),
        ("::", True, "https://{host}:80"),
        ("::1", False, "http://[::1]:80"),
    ],
)
def test_gateway_url(host: str, tls: bool, url: str) -> None:
    """A listener on every address is reached by the name the page was."""
    assert gateway_url(host, 80, tls=tls) == url

"""
The documentation page under `/docs`: files of this package and the OpenAPI documents, nothing from another host.

Owns what the page may do, by its Content-Security-Policy: run its own script, and send requests to whatever gateway its reader names.
The admin listener never forwards one: a try-it-out goes from the browser to the gateway and meets its policies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files

import orjson

from edge.admin.pages import JSON, Page
from edge.core.grpc_status import Code
from edge.outcome import http_of_code

_FILES = {
    "/docs": ("index.html", "text/html; charset=utf-8"),
    "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
    "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
_OPENAPI = "/openapi/"
_WILDCARDS = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104  # compared with, not bound to


class DocsPage:
    """
    Answers under `/docs`. `documents` gives the current ones by gateway path, as `edge.openapi.documents` does.

    `gateways` are base URLs of listeners; `{host}` in one stands for the host the page itself was loaded from.
    """

    def __init__(self, documents: Callable[[], Mapping[str, bytes]], gateways: Sequence[str]) -> None:
        self._documents = documents
        self._gateways = list(gateways)
        self._files = {path: (kind, _read(name)) for path, (name, kind) in _FILES.items()}

    def answer(self, path: str) -> Page | None:
        """The page at a path, None for a path that is not one of these."""
        if path in self._files:
            content_type, body = self._files[path]
            return _page(content_type, body)
        if path == "/docs/apis.json":
            return _page(JSON, orjson.dumps(self._listing()))
        found = self._documents().get(path.removeprefix("/docs")) if path.startswith(f"/docs{_OPENAPI}") else None
        return None if found is None else _page(JSON, found)

    def _listing(self) -> dict[str, object]:
        """The APIs with the relative addresses of their documents, and the gateways to try them on."""
        names = {path: orjson.loads(body)["info"]["title"] for path, body in self._documents().items()}
        apis = [{"name": name, "document": f"docs{path}"} for path, name in names.items() if path.startswith(_OPENAPI)]
        return {"apis": apis, "gateways": self._gateways}


def gateway_url(host: str, port: int, *, tls: bool) -> str:
    """The base URL of a listener; one bound to every address is reached by the name the page was."""
    shown = "{host}" if host in _WILDCARDS else f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def _read(name: str) -> bytes:
    return files("edge.admin").joinpath("docs_page_files", name).read_bytes()


def _page(content_type: str, body: bytes) -> Page:
    return Page(http_of_code(Code.OK), content_type, body, _HEADERS)

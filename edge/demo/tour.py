"""
The requests worth trying: each as a curl line to paste, with what it answers.

Owns the promise that every line works, again and again, in any order: `differs` holds a real answer against it, and
`edge demo --check` asks them all.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Step:
    """
    One request and its answer.

    `answer` is a part of the JSON answer, or of the text when it is a string. `admin` asks the admin listener. `curl` are
    options of the curl line, `behind` what follows it in the shell.
    """

    title: str
    path: str
    answer: Mapping[str, Any] | str
    method: str = "GET"
    body: str = ""
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    admin: bool = False
    curl: str = ""
    behind: str = ""

    def line(self, base: str) -> str:
        """The curl line; `base` is such as http://127.0.0.1:8080."""
        parts = ["curl -s"]
        if self.curl:
            parts.append(self.curl)
        if self.method != "GET" and not (self.method == "POST" and self.body):
            parts.append(f"-X {self.method}")
        parts.append(shlex.quote(base + self.path))
        parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        if self.body:
            parts.append(f"-d {shlex.quote(self.body)}")
        return " ".join(parts) + self.behind

    def promise(self) -> str:
        """What it answers, on one line."""
        if isinstance(self.answer, str):
            return f"{int(self.status)} {self.answer}"
        inner = ", ".join(f'"{key}": {json.dumps(value)}' for key, value in self.answer.items())
        return f"{int(self.status)} {{{inner}, …}}"

    def differs(self, status: int, body: bytes) -> str:
        """How a real answer breaks the promise; empty when it keeps it."""
        if status != self.status:
            return f"status {status} instead of {int(self.status)}: {body[:200]!r}"
        if isinstance(self.answer, str):
            return "" if self.answer.encode() in body else f"no {self.answer!r} in {body[:200]!r}"
        try:
            got = json.loads(body)
        except ValueError:
            return f"not JSON: {body[:200]!r}"
        wrong = {key: got.get(key) for key, value in self.answer.items() if got.get(key) != value}
        return f"different: {wrong}" if wrong else ""


_JSON = {"content-type": JSON_TYPE}
_BOOK = '{"title": "Roadside Picnic", "genre": "GENRE_SCIENCE_FICTION", "price": {"currencyCode": "EUR", "units": "9"}}'
_ORDER = '{"customer": "Kris", "items": [{"book": "2", "copies": 99}]}'

STEPS = (
    Step("Get a book, all of it", "/v1/shelves/1/books/2?view=FULL", {"id": "2", "title": "Solaris"}),
    Step(
        "Put a book on a shelf: a draft at first",
        "/v1/shelves/1/books",
        {"title": "Roadside Picnic", "state": "BOOK_STATE_DRAFT"},
        "POST",
        _BOOK,
        headers=_JSON,
    ),
    Step(
        "Change one field: the update mask is made from the body",
        "/v1/shelves/1/books/2",
        {"title": "Solaris", "pages": 205},
        "PATCH",
        '{"pages": 205}',
        headers=_JSON,
    ),
    Step(
        "Search: nested messages, enums and repeated fields in the query",
        "/v1/books:search?query=classic&filter.genres=GENRE_COMPUTING&filter.price.max=50&orderBy=pages+desc",
        {"totalSize": 1, "genres": {"GENRE_COMPUTING": 1}},
    ),
    Step(
        "Call a custom method",
        "/v1/books/3:move",
        {"id": "3", "shelf": "2", "title": "Frankenstein"},
        "POST",
        '{"toShelf": "2"}',
        headers=_JSON,
    ),
    Step(
        "Order too many: the service's error, with its details",
        "/v1/orders",
        {"code": 9, "message": "too few copies of books/2"},
        "POST",
        _ORDER,
        HTTPStatus.BAD_REQUEST,
        headers=_JSON,
    ),
    Step(
        "Contradict the path: the gateway's error; the service never hears of it",
        "/v1/shelves/1/books/2?shelf=3",
        {"code": 3},
        status=HTTPStatus.BAD_REQUEST,
    ),
    Step("Download a file: google.api.HttpBody", "/v1/files/catalogues/2026/spring.csv", "9780156027601,3"),
    Step(
        "Download a picture",
        "/v1/shelves/1/books/2/cover",
        "PNG",
        curl=r"-o cover.png -w '%{http_code} %{content_type}, PNG of %{size_download} bytes\n'",
    ),
    Step(
        "Follow a stream, as server-sent events; without that header as a JSON array",
        "/v1/lab/count?to=3",
        'data: {"number":3}',
        headers={"accept": "text/event-stream"},
        curl="-N",
    ),
    Step(
        "The same RPC in another dialect, on the same port: Connect",
        "/bookstore.v1.Bookstore/GetBook",
        {"id": "4", "shelf": "2"},
        "POST",
        '{"book": "4"}',
        headers=_JSON,
    ),
    Step("Read what is served, as OpenAPI", "/openapi.json", '"openapi": "3.1', behind=" | head -c 300"),
    Step("See it counted", "/metrics", "# TYPE", admin=True, behind=" | grep -v '^#' | head"),
)


def text(base: str, admin_base: str) -> str:
    """The whole tour, ready to paste."""
    lines = []
    for step in STEPS:
        line = step.line(admin_base if step.admin else base)
        promise = "" if step.admin else f"  ->  {step.promise()}"
        lines.append(f"# {step.title}{promise}\n{line}\n")
    return "\n".join(lines)


def target(base: str) -> tuple[str, int]:
    """Host and port of a base URL."""
    parts = urlsplit(base)
    return parts.hostname or "", parts.port or 80

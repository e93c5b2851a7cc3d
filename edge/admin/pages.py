"""
What the admin listener answers, without its socket.

Owns the set of pages and their formats. Everything here is read-only; errors have the shape of google.rpc.Status.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from edge.core.grpc_status import Code
from edge.outcome import FAULTS, Fault, http_of_code

JSON, TEXT = "application/json", "text/plain; charset=utf-8"

Ready = Callable[[], Sequence[str]]
"""Why the gateway cannot serve now; empty when it can."""

MetricsPage = Callable[[str], Awaitable[tuple[str, bytes]]]
"""Given an Accept header, a content type and a page."""

_ABOUT = {
    "/": "this list",
    "/healthz": "200 while the process lives",
    "/readyz": "200 when calls can be served, else 503 and the reasons",
    "/metrics": "Prometheus metrics; OpenMetrics by Accept",
    "/docs": "the APIs, to read and to try",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A whole answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def refusal(fault: Fault, *headers: tuple[str, str]) -> Page:
    """A fault as google.rpc.Status."""
    facts = FAULTS[fault]
    body: dict[str, object] = {"code": facts.code.value, "message": facts.message, "details": []}
    return Page(facts.status, JSON, orjson.dumps(body) + b"\n", headers)


class Pages:
    """
    The pages by path. `debug` adds JSON pages: path to a function that makes a JSON value without secrets.

    `more` is asked first: it has pages of its own, or None.
    """

    def __init__(
        self,
        ready: Ready,
        metrics: MetricsPage,
        debug: Mapping[str, Callable[[], object]] | None = None,
        more: Callable[[str], Page | None] = lambda _: None,
    ) -> None:
        self._more = more
        self._ready = ready
        self._metrics = metrics
        self._debug = dict(debug or {})

    async def answer(self, method: str, path: str, accept: str) -> Page:
        """The page at a path. Whatever a page's own function raises is the caller's to answer for."""
        page = self._more(path)
        if page is None and path not in _ABOUT and path not in self._debug:
            return refusal(Fault.ROUTE_NOT_FOUND)
        if method not in {"GET", "HEAD"}:
            return refusal(Fault.METHOD_NOT_ALLOWED, ("allow", "GET, HEAD"))
        if page is not None:
            return page
        if path == "/metrics":
            content_type, body = await self._metrics(accept)
            return _ok(content_type, body)
        return self._local(path)

    def _local(self, path: str) -> Page:
        if path == "/healthz":
            return _ok(TEXT, b"ok\n")
        if path == "/readyz":
            return self._readiness()
        if path == "/":
            return _ok(TEXT, self._index())
        return _ok(JSON, orjson.dumps(self._debug[path](), option=orjson.OPT_INDENT_2) + b"\n")

    def _readiness(self) -> Page:
        reasons = list(self._ready())
        body = orjson.dumps({"ready": not reasons, "reasons": reasons}) + b"\n"
        return Page(http_of_code(Code.UNAVAILABLE if reasons else Code.OK), JSON, body)

    def _index(self) -> bytes:
        about = _ABOUT | dict.fromkeys(self._debug, "JSON")
        return "".join(f"{path:<12} {text}\n" for path, text in about.items()).encode()


def _ok(content_type: str, body: bytes) -> Page:
    return Page(http_of_code(Code.OK), content_type, body)

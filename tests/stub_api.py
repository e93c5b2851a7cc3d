"""An API without messages: bindings written as `GET /a/{b}`, and a codec that compiles anything and does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.routes import ApiRoutes
from edge.wire.codec import CompileError, JsonOptions, Render, RequestMessage, ResponseBody


class StubMethod:
    """A codec for one binding that does nothing."""

    takes_raw = gives_raw = False

    def request(self, path: Sequence[str], query: str, body: bytes, content_type: str) -> RequestMessage:
        return RequestMessage(b"", Render())

    def response(self, message: bytes, render: Render) -> ResponseBody:
        return ResponseBody("application/json", b"{}")


class StubApi:
    """A codec that keeps what it was asked to compile, and knows no field called `missing`."""

    def __init__(self) -> None:
        self.compiled: list[dict[str, Any]] = []

    def method(
        self,
        *,
        input_type: str,
        output_type: str,
        path_fields: Sequence[str],
        body: str,
        response_body: str,
        http_method: str,
        options: JsonOptions,
    ) -> StubMethod:
        if "missing" in (*path_fields, body):
            raise CompileError("missing", f"{input_type} has no such field")
        self.compiled.append(locals())
        return StubMethod()

    def status_details(self, status: bytes) -> list[bytes]:
        return []


def api(*rules: str, name: str = "shop", codec: StubApi | None = None, body: str = "", **choices: Any) -> ApiRoutes:
    """An API whose n-th rule, `GET /a/{b}`, belongs to pkg.Svc.M<n> and stands in line n of <name>.proto."""
    bindings = []
    for line, rule in enumerate(rules, 1):
        method, _, template = rule.partition(" ")
        rpc = Rpc("pkg.Svc", f"M{line}", "pkg.In", "pkg.Out")
        bindings.append(HttpBinding(rpc, method, template, body, source=f"{name}.proto:{line}"))
    description = Description(b"", tuple(binding.rpc for binding in bindings), tuple(bindings))
    return ApiRoutes(name, description, codec or StubApi(), JsonOptions(), f"{name}-up", 15.0, 4096, **choices)

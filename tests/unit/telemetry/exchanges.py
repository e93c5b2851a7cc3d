"""Exchanges as tests need them: over, with everything known."""

from __future__ import annotations

from typing import Any, cast

from edge.descriptors.model import HttpBinding, Rpc
from edge.exchange import Dialect, Exchange
from edge.routes import Route

RPC = Rpc("bookstore.v1.Bookstore", "GetBook", "a.In", "a.Out")


def route(api: str = "bookstore", rpc: Rpc = RPC) -> Route:
    none = cast(Any, None)  # nothing here encodes a message
    return Route(api, rpc, none, "bookstore", 15.0, 1024, HttpBinding(rpc, "GET", "/v1/x"), none)


def exchange(**facts: Any) -> Exchange:
    """A call that succeeded in 5 ms of upstream time, but for what is given."""
    defaults: dict[str, Any] = {
        "target": route(),
        "status": 200,
        "request_bytes": 3,
        "response_bytes": 40,
        "upstream_address": "10.0.0.1:50051",
        "upstream_s": 0.005,
    }
    x = Exchange(Dialect.REST, "GET", "/v1/x", "1.1", "127.0.0.1:4", "id-1", started=100.0)
    for name, value in (defaults | facts).items():
        setattr(x, name, value)
    return x

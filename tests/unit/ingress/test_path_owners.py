"""Whose a path is that has no route."""

from __future__ import annotations

import pytest

from edge.descriptors.model import Description, HttpBinding, Rpc
from edge.ingress.path_owners import PathOwners
from edge.routes import ApiRoutes, compile_routes
from edge.wire.codec import JsonOptions
from tests.stub_api import StubApi


def api(name: str, service: str, *templates: str) -> ApiRoutes:
    rpcs = tuple(Rpc(service, f"M{index}", "a.In", "a.Out") for index in range(len(templates)))
    bindings = tuple(HttpBinding(rpc, "GET", template) for rpc, template in zip(rpcs, templates, strict=True))
    return ApiRoutes(name, Description(b"", rpcs, bindings), StubApi(), JsonOptions(), "up", 1.0, 1)


TABLE, PROBLEMS = compile_routes(
    [
        api("books", "shop.Books", "/v1/books", "/v1/books/{book}", "/v1/shared/{a}/x", "/export/all/books"),
        api("orders", "shop.Orders", "/v1/orders/{order}", "/v1/shared/{a}/y", "/{tenant}/orders"),
        api("plain", "Greeter", "/hello"),
    ]
)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/shop.Books/Nothing", "books"),
        ("/shop.Orders/Nothing", "orders"),
        ("/Greeter/Nothing", "plain"),
        ("/shop.Nothing/M0", None),
        ("/v1/books/1/pages/2", "books"),
        ("/v1/orders", "orders"),
        ("/v1/nothing", None),
        ("/v1/shared/1/z", None),
        ("/export/nothing", "books"),
        ("/export", "books"),
        ("/hello/world", "plain"),
        ("/", None),
        ("", None),
        ("/" + "/".join("a" * 5000), None),
        ("/hello" + "/x" * 5000, "plain"),
    ],
)
def test_the_owner_of_a_path(path: str, owner: str | None) -> None:
    """By service, by the longest beginning that only one API has; what two share is nobody's."""
    assert not PROBLEMS
    assert PathOwners(TABLE).find(path) == owner

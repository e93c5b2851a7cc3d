"""Where routes stand in a document."""

from __future__ import annotations

from edge.openapi.places import places
from tests.unit.openapi.making import rpc, source

_M = "message M { string a = 1; Inner inner = 2; } message Inner { string a = 1; }"


def _places(rule: str) -> list[tuple[str, str]]:
    found, _ = places(source(_M + rpc(rule)).routes)
    return [(place.method, place.path.text) for place in found]


def _left_out(rule: str) -> list[str]:
    _, left_out = places(source(_M + rpc(rule)).routes)
    return [f"{route.binding.http_method} {route.binding.template}" for route in left_out]


def test_one_shape_is_one_path() -> None:
    """Its parameters get the names of the first; otherwise a document would hold one path twice."""
    rule = 'get: "/m/{a}" additional_bindings {delete: "/m/{inner.a}"}'
    assert _places(rule) == [("GET", "/m/{a}"), ("DELETE", "/m/{a}")]


def test_a_rule_for_every_method() -> None:
    """It becomes the usual ones; a rule of a method's own comes first, wherever it stands."""
    rule = 'custom {kind: "*" path: "/m/{a}"} additional_bindings {put: "/m/{inner.a}" body: "*"}'
    found, left_out = places(source(_M + rpc(rule)).routes)
    assert [place.method for place in found] == ["GET", "POST", "DELETE", "PATCH", "PUT"]
    assert [place.route.binding.http_method for place in found] == ["*"] * 4 + ["PUT"]
    assert not left_out


def test_methods_without_a_place() -> None:
    """OpenAPI 3.1 does not know them."""
    rule = 'custom {kind: "PURGE" path: "/m"} additional_bindings {custom {kind: "HEAD" path: "/m"}}'
    assert _places(rule) == [("HEAD", "/m")]
    assert _left_out(rule) == ["PURGE /m"]


def test_templates_that_openapi_cannot_tell_apart() -> None:
    """One segment or several: the first is described."""
    rule = 'get: "/m/{a}" additional_bindings {get: "/m/{inner.a=**}"}'
    assert _places(rule) == [("GET", "/m/{a}")]
    assert _left_out(rule) == ["GET /m/{inner.a=**}"]

"""Compiling bindings to a table, what is reported of the ones that cannot be served, and lookups (transcoding.md P, X2)."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.problem import Problem
from edge.descriptors.model import Description, HttpBinding
from edge.routes import PLAIN_JSON, ApiRoutes, Match, Missing, RouteTable, compile_routes
from edge.wire.codec import JsonOptions
from tests.stub_api import StubApi, api


def table(*rules: str, **choices: Any) -> RouteTable:
    """The table of one API without problems."""
    routes, problems = compile_routes([api(*rules, **choices)])
    assert problems == []
    return routes


def found(outcome: Match | Missing) -> tuple[str, ...] | None:
    """Template and captures of a match."""
    return (outcome.value.binding.template, *outcome.captures) if not isinstance(outcome, Missing) else None


def test_a_route_carries_its_binding_and_its_api_s_choices() -> None:
    codec = StubApi()
    source = api("POST /v1/{a.b}/{name=x/**}:run", codec=codec, body="*")
    routes, _ = compile_routes([source])
    (route,) = routes.routes
    assert (route.api, route.upstream, route.timeout_s, route.max_response_bytes) == ("shop", "shop-up", 15.0, 4096)
    assert route.binding is source.description.bindings[0]
    assert route.rpc is route.binding.rpc
    assert route.api_codec is codec
    assert route.path_fields == ("a.b", "name")
    (asked,) = codec.compiled
    assert (asked["path_fields"], asked["body"], asked["http_method"]) == (("a.b", "name"), "*", "POST")
    assert (asked["input_type"], asked["output_type"], asked["options"]) == ("pkg.In", "pkg.Out", source.options)


def test_a_target_compiles_its_json_when_first_asked() -> None:
    """The whole message both ways, by the standard mapping whatever the API's options; once."""
    codec = StubApi()
    routes, _ = compile_routes([api("GET /v1/a", codec=codec)])
    target = routes.targets["/pkg.Svc/M1"]
    before = len(codec.compiled)
    assert target.json() is target.json()
    (asked,) = codec.compiled[before:]
    assert (asked["path_fields"], asked["body"], asked["response_body"]) == ((), "*", "")
    assert asked["options"] == PLAIN_JSON


def test_lookup_gives_the_route_and_its_captures_in_order() -> None:
    routes = table("GET /v1/{shelf}/books/{book=*}", "GET /v1/{name=shelves/*/books/*}")
    assert found(routes.lookup("GET", "/v1/s%201/books/b%2F2")) == ("/v1/{shelf}/books/{book=*}", "s 1", "b/2")
    assert found(routes.lookup("GET", "/v1/shelves/1/books/2")) == ("/v1/{name=shelves/*/books/*}", "shelves/1/books/2")


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("GET", "/nothing", Missing()),
        ("POST", "/v1/a", Missing(allow=("GET", "HEAD", "PUT"))),
        ("GET", "/v1/a/", Missing()),
        ("GET", "/v1//a", Missing()),
    ],
)
def test_what_is_not_there_is_missing_with_the_methods_that_are(method: str, path: str, missing: Missing) -> None:
    assert table("GET /v1/{x}", "PUT /v1/a").lookup(method, path) == missing


def test_get_answers_head_unless_head_has_a_route_of_its_own() -> None:
    assert found(table("GET /v1/{x}").lookup("HEAD", "/v1/a")) == ("/v1/{x}", "a")
    own = table("GET /v1/{x}", "HEAD /v1/{y}").lookup("HEAD", "/v1/a")
    assert not isinstance(own, Missing)
    assert own.value.binding.http_method == "HEAD"


@pytest.mark.parametrize(
    "path",
    [
        *("", "*", "v1/a", "/v1/a\\b", "/v1/a\0b", "/v1/é", "/v1/a#b", "/v1/a b"),
        *("/v1/%", "/v1/%zz", "/v1/%FF", "/v1/%C3%28", "/v1/%00", "/nothing/%"),
        *("/v1/../v1/a", "/v1/.", "/v1/%2e%2e", "/v1/a%2F..%2Fb", "/%2e%2e/nothing"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_without_one_clear_meaning_is_malformed_whatever_it_would_match(method: str, path: str) -> None:
    for routes in (table("GET /v1/{x}", "GET /{rest=**}"), table("GET /{rest=**}", merge_slashes=True), RouteTable()):
        outcome = routes.lookup(method, path)
        assert isinstance(outcome, Missing)
        assert outcome.malformed
        assert outcome.allow == ()


def test_several_segments_keep_reserved_escapes_unless_the_api_says_otherwise() -> None:
    path = "/v1/p%20q%2Fr"
    assert found(table("GET /{x=**}").lookup("GET", path)) == ("/{x=**}", "v1/p q%2Fr")
    assert found(table("GET /{x=**}", fully_decode=True).lookup("GET", path)) == ("/{x=**}", "v1/p q/r")


@pytest.mark.parametrize("path", ["//v1/a/b", "/v1//a///b", "/v1/a/b/", "/v1/a/b//", "//v1//a//b//"])
def test_superfluous_slashes_match_where_the_api_merges_them(path: str) -> None:
    assert found(table("GET /v1/{x}/b", merge_slashes=True).lookup("GET", path)) == ("/v1/{x}/b", "a")
    assert table("GET /v1/{x}/b").lookup("GET", path) == Missing()


def test_merging_is_each_api_s_own_choice() -> None:
    routes, problems = compile_routes(
        [api("GET /a/{x}", "GET /", name="strict"), api("GET /{y=**}", name="lax", merge_slashes=True)]
    )
    assert problems == []
    assert found(routes.lookup("GET", "/a/b")) == ("/a/{x}", "b")
    assert found(routes.lookup("GET", "/a//b")) == ("/{y=**}", "a/b")
    assert found(routes.lookup("GET", "/")) == ("/",)
    assert found(routes.lookup("GET", "//")) == ("/{y=**}", "")
    assert routes.lookup("POST", "/a/b/") == Missing(allow=("GET", "HEAD"))


@pytest.mark.parametrize(
    ("template", "column"),
    [("", 1), ("/v1/{x", 5), ("/v1/", 5), ("/v1/{x}/{x}", 10), ("/**/{x}", 5), ("/a b", 3), ("/a:b/c", 5)],
)
def test_a_template_error_names_rule_source_column_and_fix(template: str, column: int) -> None:
    routes, problems = compile_routes([api(f"GET {template}", "GET /fine")])
    (problem,) = problems
    assert (problem.place, problem.path, problem.warning) == ("shop.proto:1", "pkg.Svc.M1", False)
    assert problem.message.startswith(f'GET "{template}": column {column}: ')
    assert problem.fix
    assert [route.binding.template for route in routes.routes] == ["/fine"]


@pytest.mark.parametrize("method", ["", "GET ME", "GÉT", "A\n"])
def test_a_custom_kind_that_is_no_method_is_a_problem(method: str) -> None:
    source = api("GET /a")
    binding = HttpBinding(source.description.rpcs[0], method, "/a", source="x.proto:7")
    broken = ApiRoutes("shop", Description(b"", (), (binding,)), StubApi(), JsonOptions(), "up", 1.0, 1)
    routes, (problem,) = compile_routes([broken])
    assert routes.routes == ()
    assert (problem.place, problem.path) == ("x.proto:7", "pkg.Svc.M1")
    assert "no HTTP method" in problem.message


def test_what_the_codec_refuses_is_a_problem_and_the_rest_is_served() -> None:
    routes, problems = compile_routes([api("GET /a/{missing}", "GET /b")])
    assert problems == [
        Problem(
            "shop.proto:1",
            "pkg.Svc.M1",
            'GET "/a/{missing}": missing: pkg.In has no such field',
            "change the rule to fit pkg.In and pkg.Out",
        )
    ]
    assert found(routes.lookup("GET", "/b")) == ("/b",)
    assert routes.lookup("GET", "/a/x") == Missing()


def test_a_duplicate_is_an_error_that_names_both_sources_and_the_first_is_served() -> None:
    routes, problems = compile_routes([api("GET /a/{x}", name="one"), api("GET /b", "GET /a/{y}", name="two")])
    (problem,) = problems
    assert (problem.place, problem.path, problem.warning) == ("two.proto:2", "pkg.Svc.M2", False)
    assert problem.message == ('GET "/a/{y}": the same method and paths as GET "/a/{x}" (pkg.Svc.M1, one.proto:1)')
    assert [route.binding.template for route in routes.routes] == ["/a/{x}", "/b"]
    assert found(routes.lookup("GET", "/a/q")) == ("/a/{x}", "q")


def test_a_shadowed_route_is_a_warning_that_names_what_takes_its_paths() -> None:
    routes, problems = compile_routes([api("GET /a/{x=**}/b", "* /a/*/**")])
    (problem,) = problems
    assert (problem.place, problem.path, problem.warning) == ("shop.proto:1", "pkg.Svc.M1", True)
    assert problem.message == (
        'GET "/a/{x=**}/b": never matched, all its paths go to * "/a/*/**" (pkg.Svc.M2, shop.proto:2)'
    )
    assert len(routes.routes) == 2


def test_all_problems_come_at_once() -> None:
    rules = ["GET /{", "GET /a", "GET /a", "GET /b/{missing}", "GET /**/x", "GET /*/**", "GET /"]
    routes, problems = compile_routes([api(*rules)])
    assert [(problem.path[-1], problem.warning) for problem in problems] == [
        ("1", False),
        ("4", False),
        ("3", False),
        ("5", True),
    ]
    assert len(routes.routes) == 4


def test_routes_keep_the_order_of_apis_and_bindings() -> None:
    routes, _ = compile_routes([api("GET /z", "GET /{x}", "POST /z", name="b"), api("GET /a/a", name="a")])
    assert [(route.api, route.binding.template) for route in routes.routes] == [
        ("b", "/z"),
        ("b", "/{x}"),
        ("b", "/z"),
        ("a", "/a/a"),
    ]


def test_the_empty_table_knows_nothing() -> None:
    assert RouteTable().routes == ()
    assert RouteTable().lookup("GET", "/") == Missing()
